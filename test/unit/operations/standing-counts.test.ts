import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { StreamStanding } from "../../../src/fleet/local-node-directory.ts";
import type { Refusal, ToldNode } from "../../../src/fleet/node-directory.ts";
import { BackendSchema, HealthSchema, Health_Status as Status } from "../../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { FleetSchema } from "../../../src/gen/fairlead/admin/v1/fleet_pb.ts";
import { ServiceSchema } from "../../../src/gen/fairlead/admin/v1/service_pb.ts";
import { drainBackend } from "../../../src/operations/membership/drain-backend.ts";
import { registerBackend } from "../../../src/operations/membership/register-backend.ts";
import { reportHealth } from "../../../src/operations/membership/report-health.ts";
import { SeenObservations } from "../../../src/operations/membership/seen-observations.ts";
import { createObject } from "../../../src/operations/objects/create-object.ts";
import { getStatus } from "../../../src/operations/observing/get-status.ts";
import { LAG_BOUND_MS } from "../../../src/operations/observing/problems.ts";
import { countStanding, type StandingCounts } from "../../../src/operations/observing/standing-counts.ts";
import { CLUSTER_TYPE, LISTENER_TYPE } from "../../../src/xds/protocol/resource-types.ts";
import { openPlaneContext, type PlaneContext, TESTER } from "../../support/plane-context.ts";
import { presenceOf, recordPresence } from "../../support/recorded-presence.ts";

let plane: PlaneContext;
beforeEach(async () => {
  plane = await openPlaneContext();
});
afterEach(() => plane.close());

const DONE = { state: "done" } as const;

/** The streams that this replica has, as the directory of all proxies knows them too. */
async function count(...streams: (Partial<ToldNode> & { id: string; refuses?: string[]; holds?: string[] })[]) {
  for (const { refuses: _, holds: __, ...node } of streams) plane.nodes.set(node, DONE);
  const refusal = (nodeId: string, typeUrl: string): Refusal => {
    return { nodeId, typeUrl, resource: "web", version: "1", message: "no", at: 0, objects: [] };
  };
  const standing: StreamStanding[] = [];
  for (const { id, refuses = [], holds = [], peer } of streams) {
    const [node] = (await plane.nodes.nodes({ id })).told.filter((told) => peer === undefined || told.peer === peer);
    if (node === undefined) throw new Error(`no ${id}`);
    const refusals = refuses.map((typeUrl) => refusal(id, typeUrl));
    plane.nodes.standing.push(...refusals);
    standing.push({ node, refusals, holds });
  }
  return await countStanding(plane, { standing: () => standing });
}

const total = ({ problems }: StandingCounts) =>
  [...problems.values()].flatMap((ofKind) => Object.values(ofKind)).reduce((sum, count) => sum + count, 0);

test("counts proxies by fleet and state, what they refuse, and what is held back from them", async () => {
  await createObject(plane, TESTER, {
    kind: "fleet",
    message: create(FleetSchema, { name: "edge" }),
    options: undefined,
  });
  const counts = await count(
    { id: "a" },
    { id: "b", lagMs: LAG_BOUND_MS + 1, holds: ["store_unreachable", "store_unreachable", "state_differs"] },
    { id: "c", refuses: [LISTENER_TYPE, CLUSTER_TYPE, CLUSTER_TYPE] },
    { id: "d", fleet: undefined, silent: "no fleet selects it" },
  );
  expect(counts.proxies.get("edge")).toEqual({ connected: 3, lagging: 1, refusing: 1, gone: 0 });
  expect(counts.proxies.get("")).toEqual({ connected: 1, lagging: 0, refusing: 0, gone: 0 });
  expect(Object.fromEntries(counts.refused)).toEqual({ [LISTENER_TYPE]: 1, [CLUSTER_TYPE]: 2 });
  expect(Object.fromEntries(counts.held)).toEqual({ store_unreachable: 2, state_differs: 1 });
  expect(counts.problems.get("proxy")).toEqual({ down: 0, degraded: 2, notice: 0 });
  expect(counts.problems.get("refusal")).toEqual({ down: 0, degraded: 3, notice: 0 });
  expect(total(counts)).toBe((await getStatus(plane)).problems.length);
});

test("counts the proxies that a fleet expects, and those that are gone, as every replica has them in the record", async () => {
  const message = create(FleetSchema, { name: "edge", expected: 4 });
  await createObject(plane, TESTER, { kind: "fleet", message, options: undefined });
  await recordPresence(plane, presenceOf("lost", { state: "gone" }), presenceOf("back", { state: "gone" }));
  const counts = await count({ id: "here" }, { id: "back" });
  expect(counts.proxies.get("edge")).toEqual({ connected: 2, lagging: 0, refusing: 0, expected: 4, gone: 2 });
  // Too few of them, and one that is gone: the other is connected, and its record follows.
  expect(counts.problems.get("presence")).toEqual({ down: 0, degraded: 2, notice: 0 });
  expect(total(counts)).toBe((await getStatus(plane)).problems.length);
});

test("counts backends by why they are eligible or not, and each problem that the status lists by its kind", async () => {
  const register = (name: string, address: string) =>
    registerBackend(plane, TESTER, {
      backend: create(BackendSchema, { name, target: { case: "address", value: address } }),
      expectedVersion: "",
    });
  for (const name of ["shop", "empty"]) {
    const message = create(ServiceSchema, { name, policy: name === "shop" ? "missing" : "" });
    await createObject(plane, TESTER, { kind: "service", message, options: undefined });
  }
  for (const [i, id] of ["a", "b", "c", "d"].entries()) await register(`shop/${id}`, `10.0.0.${i}:80`);
  await register("shop/e", "10.0.0.0:80");
  const sick = { backend: "shop/b", source: "reporter:x", status: Status.UNHEALTHY, reason: "HTTP 503" };
  const health = create(HealthSchema, sick);
  await reportHealth({ ...plane, seen: new SeenObservations(plane) }, TESTER, { health, allowRemoval: false });
  await drainBackend(plane, TESTER, { name: "shop/c", undo: false, expectedVersion: "", allowRemoval: false });
  const counts = await count();
  expect(Object.fromEntries(counts.backends)).toMatchObject({
    shop: { active: 2, degraded: 0, draining: 1, pending: 0, unhealthy: 1, "duplicate-address": 1 },
    empty: { active: 0, unhealthy: 0 },
  });
  expect(counts.problems.get("service")).toEqual({ down: 1, degraded: 1, notice: 0 });
  // The policy that does not exist, and the address that two backends have.
  expect(counts.problems.get("object")).toEqual({ down: 0, degraded: 0, notice: 2 });
  expect(total(counts)).toBe((await getStatus(plane)).problems.length);
});
