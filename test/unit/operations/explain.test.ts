import { afterEach, beforeEach, expect, test } from "vitest";
import { anyObject } from "../../../src/operations/objects/any-object.ts";
import { apply } from "../../../src/operations/objects/apply.ts";
import { explainNode } from "../../../src/operations/observing/explain-node.ts";
import { explainObject } from "../../../src/operations/observing/explain-object.ts";
import { explainRequest } from "../../../src/operations/observing/explain-request.ts";
import { explainRoute } from "../../../src/operations/observing/explain-route.ts";
import { explainService } from "../../../src/operations/observing/explain-service.ts";
import type { Explanation } from "../../../src/operations/observing/explanation.ts";
import { manifestKind, messageFromJson } from "../../../src/schema/object-json.ts";
import { openPlaneContext, type PlaneContext, TESTER } from "../../support/plane-context.ts";

let plane: PlaneContext;
beforeEach(async () => {
  plane = await openPlaneContext();
  await applyAll(
    { kind: "Fleet", name: "edge", backendNetworks: ["10.0.0.0/8"] },
    { kind: "Listener", name: "web", fleet: "edge", address: "0.0.0.0:10080" },
    { kind: "Service", name: "shop" },
    { kind: "Backend", name: "shop/a", address: "10.0.0.1:80" },
    { kind: "Backend", name: "shop/out", address: "192.168.0.1:80" },
    { kind: "Service", name: "void" },
    {
      kind: "Route",
      name: "shop",
      listeners: ["web", "gone"],
      hosts: ["shop.example", "*"],
      rules: [
        { match: { path: { exact: "/cart" }, methods: ["POST"] }, to: [{ service: "void" }] },
        {
          match: { path: { prefix: "/" } },
          to: [
            { service: "shop", weight: 3 },
            { service: "ghost", weight: 1 },
          ],
        },
      ],
    },
  );
});
afterEach(() => plane.close());

async function applyAll(...manifests: readonly ({ kind: string } & Record<string, unknown>)[]): Promise<void> {
  const objects = manifests.map(({ kind: word, ...json }) => {
    const named = manifestKind(word);
    if (!named.ok) throw new Error(named.message);
    const read = messageFromJson(named.kind, json);
    if (!read.ok) throw new Error(JSON.stringify(read.violations));
    return anyObject(named.kind, read.message);
  });
  await apply(plane, TESTER, {
    objects,
    owner: "",
    prune: false,
    allowRemoval: false,
    keepOwners: false,
    strict: false,
  });
}

const factsOf = ({ facts }: Explanation) => facts.map(({ about, text }) => `${about}: ${text}`);
const ask = (url: string, more: object = {}) =>
  explainRequest(plane.mirror, { url, method: "", headers: {}, fleet: "", listener: "", ...more });

test("a request is led from the port over host and rule to the backends that the fleet may use", () => {
  expect(ask("http://shop.example:10080/x?y").ways).toMatchObject([
    {
      fleet: "edge",
      listener: "web",
      address: "0.0.0.0:10080",
      host: "shop.example",
      path: "/x",
      route: "shop",
      rule: 1,
      passed: [{ route: "shop", rule: 0, reason: "path is not exact /cart" }],
      targets: [
        { service: "shop", percent: 75, backends: ["shop/a"], eligible: 1, message: "" },
        { service: "ghost", percent: 25, backends: [], message: "there is no such service" },
      ],
      status: 0,
      message: "25 % of such requests are answered with 503",
    },
  ]);
  expect(ask("http://other.example:10080/cart", { method: "POST" }).ways).toMatchObject([
    { host: "*", rule: 0, status: 503, targets: [{ service: "void", message: "none of its backends may be used" }] },
  ]);
});

test("a request to no listener is refused with the ports that there are, and a listener can be named", () => {
  expect(() => ask("http://shop.example/x")).toThrowError(expect.objectContaining({ code: "INVALID_FIELD" }));
  expect(() => ask("http://shop.example/x")).toThrowError(/no listener has port 80; there are listeners on 10080/);
  expect(ask("https://shop.example/x", { listener: "web" }).ways).toHaveLength(1);
  expect(() => ask("http://shop.example/x", { listener: "nobody" })).toThrowError(/there is no listener nobody/);
  for (const url of ["shop.example/x", "ftp://shop.example/", "http://", "http://a b/", "http://u@shop.example/"]) {
    expect(() => ask(url), url).toThrowError(expect.objectContaining({ code: "INVALID_FIELD" }));
  }
});

test("a route tells what is unknown, where its rules stand and how their services are", async () => {
  const explained = await explainRoute(plane, "shop");
  expect(explained.summary).toMatch(/there is no listener gone/);
  const facts = factsOf(explained);
  expect(facts).toContain("listener web: 0.0.0.0:10080 of fleet edge");
  expect(facts).toContain("listener gone: there is no such listener");
  expect(facts).toContain("rules[1]: prefix / → shop 75 %, ghost 25 %; tried 2 of 2");
  expect(facts).toContain("service shop: 2 of 2 backends may be used");
  expect(facts).toContain("service void: DOWN: no backend is registered");
  await expect(explainRoute(plane, "nobody")).rejects.toMatchObject({ code: "ROUTE_NOT_FOUND" });
});

test("a service tells whether it is down, who leads to it and which fleet leaves out what", async () => {
  expect((await explainService(plane, "void")).summary).toBe("DOWN: no backend is registered");
  const facts = factsOf(await explainService(plane, "shop"));
  expect(facts).toContain("route shop: leads to it by rules[1], for shop.example, *");
  expect(facts.join("\n")).toMatch(/fleet edge: leaves out 1: shop\/out: 192\.168\.0\.1/);
  await expect(explainService(plane, "nobody")).rejects.toMatchObject({ code: "SERVICE_NOT_FOUND" });
});

test("an object of any kind tells what is wrong with it, what it is linked to, and who wrote it", async () => {
  const listener = await explainObject(plane, "listener", "web");
  expect(listener.summary).toBe("nothing is wrong with it");
  const facts = factsOf(listener);
  expect(facts).toContain("refers to: fleet edge");
  expect(facts).toContain("referred to by: route shop");
  expect(facts.at(-1)).toMatch(/^written: \d{4}-.*Z, generation 1, revision 1\.\d+$/);
  const route = await explainObject(plane, "route", "shop");
  expect(route.summary).toMatch(/there is no listener gone/);
  expect(factsOf(route)).toContain("refers to: listener gone, which does not exist");
  await expect(explainObject(plane, "fleet", "nobody")).rejects.toMatchObject({ code: "FLEET_NOT_FOUND" });
});

test("a node tells its fleet and why, its listeners, and what it has not taken in", async () => {
  const resource = { sent: "v2", acked: "v1", refused: undefined, unknown: false, held: undefined };
  const refused = { version: "v2", message: "cannot bind" };
  plane.nodes.set(
    {
      id: "edge-1",
      fleet: "edge",
      cluster: "edge",
      types: [
        {
          typeUrl: "t",
          shortName: "LDS",
          state: "refused",
          known: 1,
          refusals: [{ name: "web", message: "cannot bind" }],
          refused: 1,
          missing: [],
          resources: [{ name: "web", ...resource, refused }],
        },
      ],
    },
    { state: "done" },
  );
  const explained = await explainNode(plane, "edge-1");
  expect(explained.summary).toBe("refuses 1 of its resources, and keeps the versions that it had before");
  expect(factsOf(explained)).toEqual(
    expect.arrayContaining([
      'fleet: edge: the fleet selects it by node.cluster "edge"',
      "listener web: 0.0.0.0:10080; routes shop",
      ": web refused: cannot bind",
    ]),
  );
  const silent = { silent: "no fleet selects it", silentSince: 65_000 };
  plane.nodes.set({ id: "edge-1", fleet: undefined, ...silent }, { state: "done" });
  const unselected = await explainNode(plane, "edge-1");
  expect(unselected.summary).toBe("gets nothing: no fleet selects it");
  expect(factsOf(unselected)).toContain(": nothing has been sent on it since 1970-01-01T00:01:05.000Z");
  await expect(explainNode(plane, "nobody")).rejects.toMatchObject({ code: "NODE_NOT_FOUND" });
});
