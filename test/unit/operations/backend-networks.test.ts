import { create } from "@bufbuild/protobuf";
import { FieldMaskSchema } from "@bufbuild/protobuf/wkt";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LOOPBACK_NETWORKS, ORDINARY_NETWORKS } from "../../../src/domain/backend-networks.ts";
import type { Kind } from "../../../src/domain/name.ts";
import { type AnyObject, ApplyRequestSchema } from "../../../src/gen/fairlead/admin/v1/apply_pb.ts";
import { FleetSchema } from "../../../src/gen/fairlead/admin/v1/fleet_pb.ts";
import { importState } from "../../../src/operations/archive/import-state.ts";
import { anyObject } from "../../../src/operations/objects/any-object.ts";
import { apply } from "../../../src/operations/objects/apply.ts";
import { fillNetworks, networksForNewFleetsOf } from "../../../src/operations/objects/fill-networks.ts";
import { getObject } from "../../../src/operations/objects/get-object.ts";
import { updateObject } from "../../../src/operations/objects/update-object.ts";
import { explainBackend } from "../../../src/operations/observing/explain-backend.ts";
import { getStatus } from "../../../src/operations/observing/get-status.ts";
import { messageFromJson } from "../../../src/schema/object-json.ts";
import { openPlaneContext, type PlaneContext, TESTER } from "../../support/plane-context.ts";

/** A plane that others can reach, which fills in nothing, and one that listens on loopback only. */
let plane: PlaneContext;
let local: PlaneContext;
const LOCAL = networksForNewFleetsOf(true);
beforeEach(async () => {
  plane = await openPlaneContext();
  local = { ...plane, plane: { ...plane.plane, networksForNewFleets: LOCAL } };
});
afterEach(() => plane.close());

function object(kind: Exclude<Kind, "health">, json: Record<string, unknown>): AnyObject {
  const read = messageFromJson(kind, json);
  if (!read.ok) throw new Error(JSON.stringify(read.violations));
  return anyObject(kind, read.message);
}
const applyTo = (at: PlaneContext, ...objects: readonly AnyObject[]) =>
  apply(at, TESTER, create(ApplyRequestSchema, { objects: [...objects] }));
const edge = (backendNetworks: readonly string[] = [], more: object = {}) =>
  object("fleet", { name: "edge", backendNetworks: [...backendNetworks], ...more });
const networks = () => plane.mirror.get("fleet", "edge")?.backendNetworks;
const generation = () => plane.mirror.get("fleet", "edge")?.meta.generation;
const shop = [
  object("listener", { name: "web", fleet: "edge", address: "0.0.0.0:80" }),
  object("service", { name: "shop" }),
  object("backend", { name: "shop/here", address: "127.0.0.1:9901" }),
  object("backend", { name: "shop/away", address: "10.0.0.1:9901" }),
  object("backend", { name: "shop/socket", pipe: "/run/shop.sock" }),
  object("route", { name: "shop", listeners: ["web"], hosts: ["*"], rules: [{ to: [{ service: "shop" }] }] }),
];
const fill = (networksForNewFleets: readonly string[]) =>
  fillNetworks({ mirror: plane.mirror, store: plane.store, networksForNewFleets, replica: "plane-a" });

const emptyAt = (at: PlaneContext, field: string) =>
  updateObject(at, TESTER, {
    kind: "fleet",
    message: create(FleetSchema, { name: "edge" }),
    updateMask: create(FieldMaskSchema, { paths: [field] }),
    expectedVersion: "",
    options: undefined,
  });

describe("a plane that listens on loopback only", () => {
  test("gives new fleets all ordinary networks and loopback, and leaves them at the next apply of the same manifest", async () => {
    await applyTo(local, edge());
    expect(networks()).toEqual([...ORDINARY_NETWORKS, ...LOOPBACK_NETWORKS]);
    await applyTo(local, edge());
    expect(generation()).toBe(1);
  });

  test("takes what is named as it is", async () => {
    await applyTo(local, edge(["10.0.0.0/8"]));
    expect(networks()).toEqual(["10.0.0.0/8"]);
  });

  test("gives fleets that an import brings the same", async () => {
    async function* requests() {
      yield {
        options: undefined,
        exportedRevision: "",
        objects: [{ object: { case: "any", value: edge() } }],
      } as never;
    }
    await importState(local, TESTER, requests());
    expect(networks()).toEqual(LOCAL);
  });
});

test("a write that leaves the networks out leaves them as they are; only one that names the field empties it", async () => {
  await applyTo(plane, edge(["10.0.0.0/8"]));
  await applyTo(plane, edge([], { labels: { tier: "1" } }));
  expect(networks()).toEqual(["10.0.0.0/8"]);
  await emptyAt(local, "backend_networks");
  expect(networks()).toEqual([]);
  await applyTo(local, edge());
  expect(networks()).toEqual([]);
});

test("every bad network is refused with what would be right", async () => {
  const error = applyTo(plane, edge(["10.0.0.1/8", "10.0.0.0/8", "localhost"]));
  await expect(error).rejects.toMatchObject({
    violations: [
      {
        field: "objects[0].backendNetworks[0]",
        message: expect.stringContaining("where the network does, 10.0.0.0/8"),
      },
      { field: "objects[0].backendNetworks[2]" },
    ],
  });
  const many = Array.from({ length: 65 }, (_, i) => `10.0.${i}.0/24`);
  await expect(applyTo(plane, edge(many))).rejects.toMatchObject({
    violations: [{ message: "must have at most 64 entries, not 65" }],
  });
});

describe("a state from before fleets had networks", () => {
  beforeEach(() => applyTo(plane, edge(), object("fleet", { name: "other" }), ...shop));

  test("is given loopback and the sockets in use by a plane that listens on loopback only, once", async () => {
    await fill(LOCAL);
    expect(networks()).toEqual([...LOCAL, "/run/shop.sock"]);
    expect(plane.mirror.get("fleet", "other")?.backendNetworks).toEqual(LOCAL);
    const revision = plane.mirror.revision;
    await fill(LOCAL);
    expect(plane.mirror.revision).toEqual(revision);
    expect((await getStatus(plane)).problems.filter(({ what }) => what.includes("leaves out"))).toEqual([]);
  });

  test("keeps what somebody empties later", async () => {
    await fill(LOCAL);
    await emptyAt(plane, "backendNetworks");
    await fill(LOCAL);
    expect(networks()).toEqual([]);
  });

  test("is given the sockets in use and no loopback by a plane that others reach", async () => {
    await fill([]);
    expect(networks()).toEqual([...ORDINARY_NETWORKS, "/run/shop.sock"]);
    expect(plane.mirror.get("fleet", "other")?.backendNetworks).toEqual([]);
  });

  test("is given loopback too by a plane that comes to listen on loopback only", async () => {
    await fill([]);
    await fill(LOCAL);
    expect(networks()).toEqual([...ORDINARY_NETWORKS, "/run/shop.sock"]);
    expect(plane.mirror.get("fleet", "other")?.backendNetworks).toEqual(LOCAL);
    await fill([]);
    expect(plane.mirror.record("networks")).toBe("loopback");
  });

  test("is filled once by planes that start at the same time", async () => {
    await Promise.all([fill(LOCAL), fill(LOCAL), fill(LOCAL)]);
    expect(generation()).toBe(2);
  });
});

test("an empty state is not written to", async () => {
  const revision = plane.mirror.revision;
  await fill(LOCAL);
  expect(plane.mirror.revision).toEqual(revision);
});

test("what a fleet leaves out is said by explain, by a condition and in the status", async () => {
  await applyTo(plane, edge(), ...shop);
  const reason = "127.0.0.1 is loopback and not among backendNetworks";
  expect((await explainBackend(plane, "shop/here")).leftOut).toMatchObject([{ fleet: "edge", reason }]);
  expect((await explainBackend(plane, "shop/away")).leftOut).toEqual([]);
  expect((await getObject(plane, "backend", "shop/here")).conditions).toMatchObject([
    { type: "Accepted", ok: false, reason: "OutsideNetworks", message: `left out by fleet edge: ${reason}` },
  ]);
  const { problems } = await getStatus(plane);
  expect(problems).toMatchObject([{ what: "fleet edge leaves out 2 backends of service shop" }]);
  expect(problems[0]?.why).toContain(`shop/here: ${reason}`);
});
