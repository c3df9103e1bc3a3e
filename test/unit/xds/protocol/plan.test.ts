import { expect, it } from "vitest";
import type { FlushContext } from "../../../../src/xds/protocol/flush-context.ts";
import { leavingOf, planType } from "../../../../src/xds/protocol/plan.ts";
import { CLUSTER_TYPE, createRegistry, ROUTE_TYPE } from "../../../../src/xds/protocol/resource-types.ts";
import { TypeState } from "../../../../src/xds/protocol/type-state.ts";
import { ResourceCache } from "../../../../src/xds/server/resource-cache.ts";

it("a plan is data: it changes nothing before it is followed, and says all that then becomes of what is due", () => {
  const { context, routes } = world();
  const before = shown(routes);
  const plan = planType(context, routes);

  expect(shown(routes)).toEqual(before);
  expect(plan.upserts.map(({ name }) => name)).toEqual(["free"]);
  expect([...plan.held]).toEqual([["kept", "frozen"]]);
  expect([...plan.waits]).toEqual([
    ["waiting", { on: { typeUrl: CLUSTER_TYPE, name: "shop" }, cause: "progress", since: 7, late: false }],
  ]);
  expect(Array.from(plan.settled, ([name, resource]) => [name, resource?.name])).toEqual([["same", "same"]]);
  expect(plan.wakeAt).toBe(7 + 1000);
  expect(planType(context, routes)).toEqual(plan);

  routes.follow(plan);
  expect(shown(routes)).toEqual({ due: ["free", "waiting"], held: ["kept"], waits: ["waiting"], sent: ["same"] });
  expect([...leavingOf(routes, plan).kept]).toEqual(["waiting", "kept"]);
  expect(routes.sent.get("same")?.hash).toBeDefined();
});

it("what is asked for by alias is planned once it is due under its own name", () => {
  const { context, routes } = world();
  for (const name of [...routes.due.keys()]) routes.settle(name);
  routes.force("other name", 3);
  const plan = planType(context, routes);
  expect([...plan.renamed]).toEqual([["other name", "free"]]);

  routes.follow(plan);
  expect(shown(routes).due).toEqual(["free"]);
  expect(planType(context, routes).upserts.map(({ name }) => name)).toEqual(["free"]);
});

/** A client that has nothing but a route that it presented, and waits for a cluster, of which nothing was sent yet. */
function world() {
  const cache = new ResourceCache();
  const registry = createRegistry();
  const body = Buffer.from("x");
  const references = [{ typeUrl: CLUSTER_TYPE, name: "shop" }];
  cache.update("g", (tx) => {
    tx.set({ typeUrl: CLUSTER_TYPE, name: "shop", body, references: [] });
    tx.set({ typeUrl: ROUTE_TYPE, name: "free", body, references: [], aliases: ["other name"] });
    for (const name of ["kept", "same"]) tx.set({ typeUrl: ROUTE_TYPE, name, body, references: [] });
    tx.set({ typeUrl: ROUTE_TYPE, name: "waiting", body, references });
  });
  const served = cache.served("g");
  const [clusters, routes] = [CLUSTER_TYPE, ROUTE_TYPE].map((typeUrl) => {
    const state = new TypeState(registry.byTypeUrl.get(typeUrl) ?? expect.fail());
    state.requested = true;
    return state;
  });
  if (!served || !clusters || !routes) expect.fail();
  clusters.subscription.replace(["*"]);
  routes.subscription.replace(["free", "kept", "same", "waiting"]);
  routes.sent.set("same", { version: served.get(ROUTE_TYPE, "same")?.version ?? "", hash: undefined });
  for (const name of routes.subscription.names) routes.mark(name, 1);
  const context: FlushContext = {
    settings: {
      variant: "delta",
      registry,
      aggregated: false,
      nonceTags: { own: "", shared: "" },
      waitMs: 1000,
      overtakeMs: 1000,
      settleMs: 0,
      retry: { baseMs: 1000, maxMs: 1000, spread: 0 },
      maxResponseBytes: 10_000,
      maxAbsent: 10,
      honoursTtl: false,
      takesPartly: false,
    },
    states: new Map([
      [CLUSTER_TYPE, clusters],
      [ROUTE_TYPE, routes],
    ]),
    served,
    now: 7,
    hold: ({ name }) => (name === "kept" ? "frozen" : undefined),
  };
  return { context, routes };
}

function shown({ due, held, waits, sent }: TypeState) {
  return {
    due: [...due.keys()],
    held: [...held.keys()],
    waits: [...waits.keys()],
    sent: [...sent.keys()],
  };
}
