import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, test } from "vitest";
import { BackendSchema, HealthSchema, Health_Status as Status } from "../../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { PolicySchema } from "../../../src/gen/fairlead/admin/v1/policy_pb.ts";
import { ServiceSchema } from "../../../src/gen/fairlead/admin/v1/service_pb.ts";
import { drainBackend } from "../../../src/operations/membership/drain-backend.ts";
import { registerBackend } from "../../../src/operations/membership/register-backend.ts";
import { reportHealth } from "../../../src/operations/membership/report-health.ts";
import { SeenObservations } from "../../../src/operations/membership/seen-observations.ts";
import { unregisterBackend } from "../../../src/operations/membership/unregister-backend.ts";
import { createObject } from "../../../src/operations/objects/create-object.ts";
import { deleteObject } from "../../../src/operations/objects/delete-object.ts";
import { putPolicy } from "../../../src/operations/objects/put-policy.ts";
import { updateObject } from "../../../src/operations/objects/update-object.ts";
import { getStatus } from "../../../src/operations/observing/get-status.ts";
import { watchOnsets } from "../../../src/operations/observing/onset-watch.ts";
import { Onsets } from "../../../src/operations/observing/onsets.ts";
import { instantOfMs } from "../../../src/runtime/instant.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { openPlaneContext, type PlaneContext, TESTER } from "../../support/plane-context.ts";

let plane: PlaneContext;
let clock: FakeClock;
let stop = () => {};
beforeEach(async () => {
  clock = new FakeClock();
  plane = await openPlaneContext();
});
afterEach(async () => {
  stop();
  await plane.close();
});

/** A replica that begins to look now, by a clock of its own. */
function look(): PlaneContext {
  stop();
  const onsets = new Onsets();
  stop = watchOnsets({
    mirror: plane.mirror,
    conditions: plane.conditions,
    onsets,
    clock,
    pace: { breathe: async () => undefined },
  });
  return { ...plane, onsets, clock };
}

const addService = (name: string, policy = "") =>
  createObject(plane, TESTER, {
    kind: "service",
    message: create(ServiceSchema, { name, policy }),
    options: undefined,
  });
const register = (name: string, port = 80) =>
  registerBackend(plane, TESTER, {
    backend: create(BackendSchema, { name, target: { case: "address", value: `10.0.0.1:${port}` } }),
    expectedVersion: "",
  });
const report = (backend: string, status: Status, reason: string) =>
  reportHealth({ ...plane, seen: new SeenObservations(plane) }, TESTER, {
    health: create(HealthSchema, { backend, source: "reporter:x", status, reason }),
    allowRemoval: false,
  });
const problem = async (context: PlaneContext, what: string) =>
  (await getStatus(context)).problems.find((one) => one.what === what);
const sinceMs = (of: Awaited<ReturnType<typeof problem>>) => of?.since ?? 0;
const UNGUARDED = { expectedVersion: "", force: false };

test("a verdict's status is as old as its turn, however often and for whatever reason it is said again", async () => {
  await addService("shop");
  await register("shop/a");
  const turned = await report("shop/a", Status.UNHEALTHY, "HTTP 503");
  const again = await report("shop/a", Status.UNHEALTHY, "timeout");
  expect(again.health?.meta?.updateTime).not.toEqual(turned.health?.meta?.updateTime);
  expect(again.health?.statusTime).toEqual(turned.health?.statusTime);
  expect(instantOfMs((await problem(plane, "service shop is DOWN"))?.since ?? 0)).toEqual(turned.health?.statusTime);
  const better = await report("shop/a", Status.HEALTHY, "");
  expect(better.health?.statusTime).toEqual(better.health?.meta?.updateTime);
});

test("a verdict that an earlier release stored is as old as its last write", async () => {
  await addService("shop");
  await register("shop/a");
  const stored = plane.mirror.stored("health", "shop/a/reporter:x");
  expect(stored).toBeUndefined();
  const { health } = await report("shop/a", Status.UNHEALTHY, "HTTP 503");
  const known = plane.mirror.stored("health", "shop/a/reporter:x");
  delete known?.message.statusTime;
  const again = await report("shop/a", Status.UNHEALTHY, "timeout");
  expect(again.health?.statusTime).toEqual(health?.meta?.updateTime);
});

test("a dangling reference began when it was seen first, whatever is written to its object afterwards", async () => {
  const replica = look();
  await clock.advance(10_000);
  await addService("shop", "fast");
  await clock.advance(2_000);
  const began = sinceMs(await problem(replica, "service shop"));
  expect(began).toBe(clock.now() - 2_000);
  await clock.advance(60_000);
  await updateObject(plane, TESTER, {
    kind: "service",
    message: create(ServiceSchema, { name: "shop", policy: "fast", labels: { team: "x" } }),
    ...UNGUARDED,
    options: undefined,
    updateMask: undefined,
  });
  await clock.advance(2_000);
  expect(sinceMs(await problem(replica, "service shop"))).toBe(began);
  await putPolicy(plane, TESTER, { policy: create(PolicySchema, { name: "fast" }), expectedVersion: "" });
  await clock.advance(2_000);
  expect(await problem(replica, "service shop")).toBeUndefined();
  await deleteObject(plane, TESTER, "policy", { name: "fast", expectedVersion: "", force: true });
  await clock.advance(2_000);
  expect(sinceMs(await problem(replica, "service shop"))).toBe(clock.now() - 2_000);
});

test("what stood already when a replica began to look is told as at least so old", async () => {
  await addService("shop", "fast");
  const replica = look();
  await clock.advance(5_000);
  expect(await problem(replica, "service shop")).toMatchObject({ atLeast: true });
  expect(sinceMs(await problem(replica, "service shop"))).toBe(clock.now() - 5_000);
  await clock.advance(2_000);
  await addService("pay", "fast");
  await clock.advance(2_000);
  expect(await problem(replica, "service pay")).toMatchObject({ atLeast: false });
});

test("a service is down since its last good backend went, also when that is gone altogether", async () => {
  await addService("shop");
  await register("shop/a", 1);
  await register("shop/b", 2);
  await report("shop/a", Status.UNHEALTHY, "HTTP 503");
  const replica = look();
  await clock.advance(60_000);
  expect(await problem(replica, "service shop is DOWN")).toBeUndefined();
  await drainBackend(plane, TESTER, { name: "shop/b", expectedVersion: "", undo: false, allowRemoval: true });
  await clock.advance(30_000);
  await unregisterBackend(plane, TESTER, { name: "shop/b", expectedVersion: "", allowRemoval: true });
  await clock.advance(30_000);
  expect(sinceMs(await problem(replica, "service shop is DOWN"))).toBe(clock.now() - 60_000);
});

test("a proxy gets nothing since that began, and shares its id since the second of it came", async () => {
  plane.nodes.set(
    { id: "silent", since: 5_000, silent: "no fleet selects it", silentSince: 65_000 },
    { state: "done" },
  );
  const replica = look();
  const seen = await problem(replica, "node silent gets nothing");
  expect([sinceMs(seen), seen?.atLeast]).toEqual([65_000, false]);
  for (const silentSince of [undefined, 5_000]) {
    plane.nodes.set({ id: "never", since: 5_000, silent: "no fleet selects it", silentSince }, { state: "done" });
    const never = await problem(replica, "node never gets nothing");
    expect([sinceMs(never), never?.atLeast]).toEqual([5_000, true]);
  }
  for (const [peer, since] of [
    ["10.0.0.1:1", 9_000],
    ["10.0.0.2:1", 5_000],
    ["10.0.0.3:1", 7_000],
  ] as const) {
    plane.nodes.set({ id: "shared", peer, since, duplicate: true }, { state: "done" });
  }
  expect(sinceMs(await problem(replica, "node shared is connected 3 times"))).toBe(7_000);
});

test("a backend is out of rotation since another one took its address, whatever is written to it afterwards", async () => {
  await addService("shop");
  const replica = look();
  await register("shop/a");
  await clock.advance(60_000);
  await register("shop/b", 81);
  await clock.advance(2_000);
  expect(await problem(replica, "service shop: 1 of 2 backends not eligible")).toBeUndefined();
  await register("shop/b");
  await clock.advance(60_000);
  const message = create(BackendSchema, { name: "shop/b", labels: { team: "x" } });
  await registerBackend(plane, TESTER, { backend: message, expectedVersion: "" });
  await clock.advance(2_000);
  const seen = await problem(replica, "service shop: 1 of 2 backends not eligible");
  expect(sinceMs(seen)).toBe(clock.now() - 62_000);
});

test("the worst comes first: who has nobody to serve, then what does not work, then what is to be put right", async () => {
  await addService("shop", "missing");
  await register("shop/a", 1);
  await register("shop/b", 2);
  await report("shop/a", Status.UNHEALTHY, "HTTP 503");
  await addService("void");
  plane.nodes.set({ id: "silent", silent: "no fleet selects it" }, { state: "done" });
  const { problems } = await getStatus(plane);
  expect(problems.map(({ what, severity }) => [severity, what])).toEqual([
    ["down", "service void is DOWN"],
    ["degraded", "node silent gets nothing"],
    ["degraded", "service shop: 1 of 2 backends unhealthy"],
    ["notice", "service shop"],
  ]);
});
