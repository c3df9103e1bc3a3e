import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ENVOY_VERSIONS } from "../../scripts/components/envoy.ts";
import type { State } from "../../src/domain/state.ts";
import { explainRequest } from "../../src/operations/observing/explain-request.ts";
import { resourcesOf } from "../../src/resources/content.ts";
import { derive } from "../../src/resources/derive.ts";
import { type Backend, startBackend } from "../support/backend.ts";
import { type Envoy, startEnvoy } from "../support/envoy.ts";
import { freePort } from "../support/free-port.ts";
import { objectsOf, stateOf } from "../support/state-of.ts";
import { staticBootstrap } from "../support/static-bootstrap.ts";
import { send } from "../support/traffic.ts";

const RULES = [
  { match: { path: { prefix: "/api" } }, to: [{ service: "a" }], rewrite: { prefix: "/" } },
  { match: { path: { prefix: "/v1" } }, to: [{ service: "a" }], rewrite: { prefix: "/v2/", host: "inside.example" } },
  { match: { path: { exact: "/exact" } }, to: [{ service: "b" }], rewrite: { prefix: "/other" } },
  { match: { path: { prefix: "/read" }, methods: ["GET", "HEAD"] }, to: [{ service: "a" }] },
  { match: { path: { prefix: "/read" } }, to: [{ service: "b" }] },
  {
    match: { path: { prefix: "/canary" }, headers: [{ name: "x-canary", exact: "no", invert: true }] },
    to: [{ service: "b" }],
  },
  { match: { path: { prefix: "/canary" }, headers: [{ name: "x-canary", present: true }] }, to: [{ service: "a" }] },
  { match: { path: { regex: "/item/[0-9]+" } }, to: [{ service: "b" }] },
  { match: { path: { prefix: "/ghost" } }, to: [{ service: "ghost" }] },
  { match: { path: { prefix: "/half" } }, to: [{ service: "ghost" }, { service: "a" }] },
  { match: { path: { prefix: "/sick" } }, to: [{ service: "sick" }] },
];

interface Asked {
  readonly host?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

describe.each(Object.values(ENVOY_VERSIONS))("on Envoy %s", (version) => {
  let [a, b, envoy, port, state]: [Backend?, Backend?, Envoy?, number?, State?] = [];

  beforeAll(async () => {
    [a, b, port] = await Promise.all([startBackend("a"), startBackend("b"), freePort()]);
    state = stateOf(
      objectsOf([
        { kind: "Fleet", name: "edge", backendNetworks: ["127.0.0.0/8"] },
        { kind: "Listener", name: "web", fleet: "edge", address: `127.0.0.1:${port}` },
        { kind: "Service", name: "a" },
        { kind: "Service", name: "b" },
        { kind: "Service", name: "sick" },
        { kind: "Backend", name: "a/1", address: a.address },
        { kind: "Backend", name: "b/1", address: b.address },
        { kind: "Backend", name: "sick/1", address: b.address },
        { kind: "Health", backend: "sick/1", source: "reporter:test", status: "UNHEALTHY" },
        { kind: "Route", name: "api", listeners: ["web"], hosts: ["shop.example"], rules: RULES },
        {
          kind: "Route",
          name: "wild",
          listeners: ["web"],
          hosts: ["*.shop.example"],
          rules: [{ to: [{ service: "b" }] }],
        },
      ]),
    );
    const resources = [...resourcesOf(derive(state, { fleet: "edge", level: "base" }))];
    envoy = await startEnvoy({ version, bootstrap: staticBootstrap(resources) });
    await envoy.ready();
  });

  afterAll(() => Promise.all([envoy?.stop(), a?.stop(), b?.stop()]));

  /** What is explained of a request, in the words of what came of it. */
  const explained = (path: string, { host = "shop.example", method = "GET", headers = {} }: Asked = {}) => {
    if (state === undefined) throw new Error("nothing is set up");
    const url = `http://${host.replace(/:.*/, "")}:${port}${path}`;
    const [way] = explainRequest(state, { url, method, headers, fleet: "", listener: "web" }).ways;
    const [target] = way?.targets ?? [];
    if (way?.status !== 0) return { status: way?.status, backend: undefined };
    return { status: 200, backend: target?.service };
  };

  const ask = (path: string, more: object = {}) =>
    send({ url: `http://127.0.0.1:${port}${path}`, host: "shop.example", ...more });

  test.each([
    ["/api/x?q=1", {}, "a", "/x?q=1"],
    ["/api", {}, "a", "/"],
    ["/v1/x", {}, "a", "/v2/x"],
    ["/v1", {}, "a", "/v2"],
    ["/exact?q", {}, "b", "/other?q"],
    ["/read", {}, "a", "/read"],
    ["/read", { method: "PUT" }, "b", "/read"],
    ["/canary", { headers: { "x-canary": "no" } }, "a", "/canary"],
    ["/canary", { headers: { "x-canary": "yes" } }, "b", "/canary"],
    ["/canary", {}, "b", "/canary"],
    ["/item/7", {}, "b", "/item/7"],
    ["/read", { host: "shop.example:8080" }, "a", "/read"],
    ["/", { host: "x.shop.example" }, "b", "/"],
    ["//read/./x", {}, "a", "/read/x"],
  ])("%s with %j reaches %s as %s", async (path, more, name, seen) => {
    expect(await ask(path, more)).toMatchObject({ status: 200, backend: name });
    expect(explained(path, more)).toEqual({ status: 200, backend: name });
    expect((name === "a" ? a : b)?.requests.at(-1)?.path).toBe(seen);
  });

  test.each([
    ["/apix", {}],
    ["/exact/x", {}],
    ["/item/x", {}],
    ["/read", { host: "other.example" }],
  ])("%s with %j is not found", async (path, more) => {
    expect(await ask(path, more)).toMatchObject({ status: 404, backend: undefined });
    expect(explained(path, more)).toEqual({ status: 404, backend: undefined });
  });

  test.each([
    ["/read/%2e%2E/exact", {}],
    ["/read/../%65xact", {}],
    ["/read//..//exact", {}],
    ["/x/./../item/7/", {}],
    ["/item/7/..", {}],
    ["/..", {}],
    ["/a%2Fb", {}],
    ["/a%5cb", {}],
    ["/api\\x", {}],
    ["/API", {}],
    ["/api;v=1", {}],
    ["/api/%20%7Ejoe", {}],
    ["/read?x=/exact", {}],
    ["/read", { method: "DELETE" }],
    ["/read", { method: "HEAD" }],
    ["/read", { host: "SHOP.example" }],
    ["/read", { host: "a.b.shop.example" }],
    ["/read", { host: ".shop.example" }],
    ["/read", { headers: { under_score: "1" } }],
    ["/canary", { headers: { "x-canary": "" } }],
    ["/canary", { headers: { "X-Canary": "no" } }],
    ["/canary", { headers: { "x-canary": "no,no" } }],
    ["/sick", {}],
    ["/ghost/x", {}],
  ] as const)("what is explained of %s with %j is what happens", async (path, more) => {
    const { status, backend } = await ask(path, more);
    expect(explained(path, more)).toEqual({ status, backend });
  });

  test("a host is rewritten where the rule says so", async () => {
    await ask("/v1");
    expect(a?.requests.at(-1)?.headers["host"]).toBe("inside.example");
  });

  test("an unknown service answers 503 for its share and nothing else", async () => {
    expect(await ask("/ghost")).toMatchObject({ status: 503, backend: undefined });
    const answers = await Promise.all(Array.from({ length: 60 }, () => ask("/half")));
    const counts = { 200: 0, 503: 0 };
    for (const { status } of answers) counts[status as keyof typeof counts] += 1;
    expect(counts[200] + counts[503]).toBe(60);
    expect(Math.min(counts[200], counts[503])).toBeGreaterThan(5);
  });

  test("a service whose backends are all unhealthy answers 503 rather than use them", async () => {
    expect(await ask("/sick")).toMatchObject({ status: 503, backend: undefined });
  });
});
