import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ApplyRequestSchema } from "../../../src/gen/fairlead/admin/v1/apply_pb.ts";
import {
  BackendSchema,
  Backend_State as BackendState,
  HealthSchema,
  Health_Status as Status,
} from "../../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { ServiceSchema } from "../../../src/gen/fairlead/admin/v1/service_pb.ts";
import { clearHealth } from "../../../src/operations/membership/clear-health.ts";
import { drainBackend } from "../../../src/operations/membership/drain-backend.ts";
import { registerBackend } from "../../../src/operations/membership/register-backend.ts";
import { reportHealth } from "../../../src/operations/membership/report-health.ts";
import { SeenObservations } from "../../../src/operations/membership/seen-observations.ts";
import { unregisterBackend } from "../../../src/operations/membership/unregister-backend.ts";
import { anyObject } from "../../../src/operations/objects/any-object.ts";
import { apply } from "../../../src/operations/objects/apply.ts";
import { createObject } from "../../../src/operations/objects/create-object.ts";
import { openPlaneContext, type PlaneContext, TESTER } from "../../support/plane-context.ts";

const NO_BACKEND_LEFT = {
  code: "NO_BACKEND_LEFT",
  kind: "precondition",
  message: expect.stringContaining("allow removal"),
};

let plane: PlaneContext;
beforeEach(async () => {
  plane = await openPlaneContext();
  await createObject(plane, TESTER, {
    kind: "service",
    message: create(ServiceSchema, { name: "shop" }),
    options: undefined,
  });
  await register("a");
  await register("b");
});
afterEach(() => plane.close());

const target = (host: number) => ({ case: "address", value: `10.0.0.${host}:80` }) as const;
const register = (id: string, host = id.charCodeAt(0)) =>
  registerBackend(plane, TESTER, {
    backend: create(BackendSchema, { name: `shop/${id}`, target: target(host) }),
    expectedVersion: "",
  });
const report = (id: string, status: Status, { source = "override", allowRemoval = false } = {}) =>
  reportHealth({ ...plane, seen: new SeenObservations(plane) }, TESTER, {
    health: create(HealthSchema, { backend: `shop/${id}`, source, status }),
    allowRemoval,
  });
const order = (id: string, allowRemoval = false) => ({ name: `shop/${id}`, expectedVersion: "", allowRemoval });
const drain = (id: string, allowRemoval = false) =>
  drainBackend(plane, TESTER, { ...order(id, allowRemoval), undo: false });
const unregister = (id: string, allowRemoval = false) => unregisterBackend(plane, TESTER, order(id, allowRemoval));
const override = (id: string, allowRemoval = false) => report(id, Status.UNHEALTHY, { allowRemoval });

const WAYS = { drain, unregister, override };

describe.each(Object.keys(WAYS) as (keyof typeof WAYS)[])("%s", (way) => {
  test("of the last eligible backend is refused, unless that is allowed", async () => {
    await report("b", Status.UNHEALTHY, { source: "reporter:x" });
    const { revision } = plane.mirror;
    await expect(WAYS[way]("a")).rejects.toMatchObject(NO_BACKEND_LEFT);
    expect(plane.mirror.revision).toEqual(revision);
    await WAYS[way]("a", true);
  });

  test("of one of several is not, nor of one that gets nothing anyway", async () => {
    await report("b", Status.UNHEALTHY, { source: "reporter:x" });
    expect(await WAYS[way]("b")).toMatchObject({ revision: expect.any(String) });
  });
});

describe.each(["drain", "unregister"] as const)("%s", (way) => {
  test("of each other's last one at the same time leaves one", async () => {
    const results = await Promise.allSettled([WAYS[way]("a"), drain("b")]);
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(results.find(({ status }) => status === "rejected")).toMatchObject({ reason: NO_BACKEND_LEFT });
  });
});

test("many that go at the same time leave one", async () => {
  const ids = Array.from("cdefghijkl");
  for (const id of ids) await register(id);
  const all = [...ids, "a", "b"];
  const results = await Promise.allSettled(all.map((id) => drain(id)));
  const left = [...plane.mirror.backendsOf("shop")].filter(({ state }) => state === "ACTIVE");
  expect(left.length).toBeGreaterThanOrEqual(1);
  expect(results.filter(({ status }) => status === "rejected")).toHaveLength(left.length);
});

test("a drain that is repeated is not refused", async () => {
  await drain("a");
  await drain("b", true);
  expect((await drain("b")).object?.object.value).toMatchObject({ state: BackendState.DRAINING });
});

test("what a reporter observes is stored, whatever it leaves", async () => {
  for (const id of ["a", "b"]) await report(id, Status.UNHEALTHY, { source: "reporter:x" });
  expect([...plane.mirror.all("health")]).toHaveLength(2);
});

test("an override that alone keeps a service up is not taken back by accident", async () => {
  for (const id of ["a", "b"]) await report(id, Status.UNHEALTHY, { source: "reporter:x" });
  await report("a", Status.HEALTHY);
  const withdrawal = { backend: "shop/a", source: "override" };
  await expect(clearHealth(plane, TESTER, { ...withdrawal, allowRemoval: false })).rejects.toMatchObject(
    NO_BACKEND_LEFT,
  );
  await clearHealth(plane, TESTER, { ...withdrawal, allowRemoval: true });
});

describe("an apply", () => {
  const shop = anyObject("service", create(ServiceSchema, { name: "shop" }));
  const backend = (id: string, host: number) =>
    anyObject("backend", create(BackendSchema, { name: `shop/${id}`, target: target(host) }));
  const applied = (objects: (typeof shop)[], more = {}) =>
    apply(plane, TESTER, create(ApplyRequestSchema, { objects, owner: "team", ...more }));

  test("that prunes the last eligible backend is refused, unless that is allowed", async () => {
    await applied([shop, backend("a", 97), backend("b", 98)]);
    await drain("b");
    const pruning = [shop, backend("b", 98)];
    await expect(applied(pruning, { prune: true })).rejects.toMatchObject(NO_BACKEND_LEFT);
    await applied(pruning, { prune: true, allowRemoval: true });
  });

  test("that gives the last eligible backend the address of one that drains is refused", async () => {
    await drain("a");
    await expect(applied([backend("b", 97)])).rejects.toMatchObject(NO_BACKEND_LEFT);
  });

  test("that removes the service as well is not", async () => {
    await applied([shop, backend("a", 97), backend("b", 98)]);
    await unregister("b");
    await applied([], { prune: true });
    expect(plane.mirror.get("service", "shop")).toBeUndefined();
  });
});
