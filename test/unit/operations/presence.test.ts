import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { adminHandlers } from "../../../src/api/admin-handlers.ts";
import { countPresence, type Presence } from "../../../src/domain/presence.ts";
import { ForgetNodeRequestSchema } from "../../../src/gen/fairlead/admin/v1/admin_pb.ts";
import { FleetSchema } from "../../../src/gen/fairlead/admin/v1/fleet_pb.ts";
import { GetNodeRequestSchema, ListNodesRequestSchema } from "../../../src/gen/fairlead/admin/v1/observe_pb.ts";
import { createObject } from "../../../src/operations/objects/create-object.ts";
import { forgetNode } from "../../../src/operations/objects/forget-node.ts";
import { explainNode } from "../../../src/operations/observing/explain-node.ts";
import { getStatus } from "../../../src/operations/observing/get-status.ts";
import { openPlaneContext, type PlaneContext, TESTER } from "../../support/plane-context.ts";
import { presenceOf as proxy, recordPresence } from "../../support/recorded-presence.ts";

const DONE = { state: "done" } as const;

let plane: PlaneContext;
beforeEach(async () => {
  plane = await openPlaneContext();
});
afterEach(() => plane.close());

const REFUSING: Presence["last"] = {
  settled: "0.1",
  types: [
    { typeUrl: "t/Cluster", shortName: "CDS", state: "acked", known: 2, refused: 0, refusals: [] },
    {
      typeUrl: "type.googleapis.com/envoy.config.listener.v3.Listener",
      shortName: "LDS",
      state: "refused",
      known: 1,
      refused: 1,
      refusals: [{ name: "web", message: "cannot bind" }],
    },
  ],
};

async function fleet(expected?: number) {
  const message = create(FleetSchema, { name: "edge", ...(expected !== undefined && { expected }) });
  await createObject(plane, TESTER, { kind: "fleet", message, options: undefined });
}

const problems = async () => (await getStatus(plane)).problems.map(({ what, why, since }) => ({ what, why, since }));
const whats = async () => (await problems()).map(({ what }) => what);

describe("a proxy that is gone", () => {
  test("is a problem with what it had, until it is connected again", async () => {
    await fleet();
    await recordPresence(plane, proxy("edge-7", { state: "gone", since: 9_000, last: REFUSING }), proxy("edge-8"));
    expect(await problems()).toEqual([
      {
        what: "proxy edge-7 of fleet edge is gone",
        since: 9_000,
        why: "last seen by plane-b; it had refused LDS web: cannot bind; if it will not come back: `fairlead forget node/edge-7`",
      },
    ]);
    plane.nodes.set({ id: "edge-7" }, DONE);
    expect(await problems()).toEqual([]);
  });

  test("is listed and shown as it was, whatever a replica still remembers of it", async () => {
    await fleet();
    await recordPresence(
      plane,
      proxy("edge-7", { state: "gone", since: 9_000, last: REFUSING, zone: "a", client: "gRPC Go" }),
      proxy("edge-8"),
    );
    plane.nodes.set({ id: "edge-7", connected: false, since: 8_000 }, DONE);
    plane.nodes.set({ id: "edge-8" }, DONE);
    const { listNodes, getNode } = adminHandlers(plane);
    expect(await listNodes(create(ListNodesRequestSchema), TESTER)).toMatchObject({
      nodes: [
        { id: "edge-7", gone: true, connected: false },
        { id: "edge-8", gone: false, connected: true },
      ],
    });
    const node = await getNode(create(GetNodeRequestSchema, { id: "edge-7" }), TESTER);
    expect(node).toMatchObject({
      gone: true,
      zone: "a",
      client: "gRPC Go",
      fleet: "edge",
      revision: "0.1",
      types: [{ type: "CDS" }, { type: "LDS" }],
      conditions: [{ reason: "GONE" }, { reason: "REFUSED", message: "LDS web: cannot bind" }],
    });
    const ofOneType = create(GetNodeRequestSchema, { id: "edge-7", type: "lds" });
    expect(await getNode(ofOneType, TESTER)).toMatchObject({ types: [{ type: "LDS" }] });
    const explained = JSON.stringify(await explainNode(plane, "edge-7"));
    expect(explained).toContain("gone: last seen by plane-b");
    expect(explained).toContain("web refused: cannot bind");
  });

  test("says so when nobody knows what it had, and when something was on its way", async () => {
    await fleet();
    const sent = REFUSING.types.slice(0, 1).map((type) => ({ ...type, state: "sent" as const }));
    await recordPresence(
      plane,
      proxy("a", { state: "gone" }),
      proxy("b", { state: "gone", since: 4_000, last: { settled: "", types: sent } }),
    );
    expect((await problems()).map(({ why }) => why.split(";")[1])).toEqual([
      " what it had is not known",
      " it had not acknowledged CDS",
    ]);
  });

  test("is no problem where it was a program with a gRPC library, unless its fleet expects it", async () => {
    await fleet();
    await recordPresence(plane, proxy("batch-1", { state: "gone", client: "gRPC Go" }));
    expect(await whats()).toEqual([]);
    expect(countPresence(plane.mirror.all("fleet"), plane.mirror.records("presence").values()).get("edge")?.gone).toBe(
      0,
    );
  });

  test("hides no other problem, however many are gone", async () => {
    await fleet(100);
    await recordPresence(plane, ...Array.from({ length: 60 }, (_, i) => proxy(`edge-${i}`, { state: "gone" })));
    const all = await whats();
    expect(all).toHaveLength(22);
    expect(all).toContain("40 more proxies of fleet edge are gone");
  });
});

describe("a fleet that expects proxies", () => {
  test("has too few of them, counted over what is connected and what is on its way between planes", async () => {
    await fleet(4);
    await recordPresence(
      plane,
      proxy("here"),
      proxy("replaced", { state: "gone", since: 1_000 }),
      proxy("lost", { state: "gone", since: 7_000 }),
    );
    plane.nodes.set({ id: "new" }, DONE);
    plane.nodes.set({ id: "new-too" }, DONE);
    expect(await problems()).toContainEqual({
      what: "fleet edge has 3 of 4 expected proxies",
      since: 7_000,
      why: "gone: lost; replaced",
    });
    plane.nodes.set({ id: "lost" }, DONE);
    expect(await whats()).toEqual(["proxy replaced of fleet edge is gone"]);
  });

  test("has more than it should, even if that is none", async () => {
    await fleet(0);
    expect(await whats()).toEqual([]);
    plane.nodes.set({ id: "stray" }, DONE);
    expect(await whats()).toEqual(["fleet edge has 1 proxy, and 0 are expected"]);
  });

  test("says nothing without a number, and is counted for gauges", async () => {
    await fleet();
    expect(await whats()).toEqual([]);
    await recordPresence(plane, proxy("a", { state: "gone" }), proxy("b"));
    const counts = countPresence(plane.mirror.all("fleet"), plane.mirror.records("presence").values());
    expect(counts.get("edge")).toEqual({ expected: undefined, gone: 1 });
  });
});

describe("forget", () => {
  const forget = (id: string, options: object = {}) =>
    forgetNode(plane, TESTER, create(ForgetNodeRequestSchema, { id, options }));

  test("takes a proxy out of the record, and the last one with the record; a dry run takes nothing", async () => {
    await fleet();
    await recordPresence(plane, proxy("edge-7", { state: "gone" }), proxy("edge-8", { state: "gone" }));
    plane.nodes.set({ id: "edge-7", connected: false }, DONE);
    await forget("edge-7", { validateOnly: true });
    expect(await whats()).toHaveLength(2);
    expect((await plane.nodes.nodes()).told).toHaveLength(1);
    expect((await forget("edge-7")).revision).not.toBe("");
    expect(await whats()).toEqual(["proxy edge-8 of fleet edge is gone"]);
    expect((await plane.nodes.nodes()).told, "no wait is held up").toEqual([]);
    await forget("edge-8");
    expect(plane.mirror.records("presence").size).toBe(0);
    await expect(forget("edge-8")).rejects.toMatchObject({ code: "NODE_NOT_FOUND" });
  });

  test("is refused for a proxy that is connected, or may be", async () => {
    await fleet();
    await recordPresence(plane, proxy("edge-7", { replica: "plane-b" }));
    plane.nodes.set({ id: "edge-7", replica: "plane-a" }, DONE);
    await expect(forget("edge-7")).rejects.toMatchObject({
      code: "NODE_CONNECTED",
      message: expect.stringContaining("connected to plane-a"),
    });
    plane.nodes.set({ id: "edge-7", connected: false }, DONE);
    plane.nodes.silent = [{ replica: "plane-b", silentMs: 3_000 }];
    await expect(forget("edge-7")).rejects.toMatchObject({ code: "REPLICA_SILENT" });
  });
});
