import { expect, test } from "vitest";
import type { Kind } from "../../../src/domain/name.ts";
import { messageFromJson } from "../../../src/schema/object-json.ts";
import { parseObject } from "../../../src/schema/parse-object.ts";

function parse(kind: Kind, json: object) {
  const read = messageFromJson(kind, json);
  if (!read.ok) throw new Error(JSON.stringify(read.violations));
  return parseObject(kind, read.message);
}

const RULE = { to: [{ service: "shop" }] };
const GOOD: Record<Kind, object> = {
  service: { name: "shop" },
  policy: { name: "shop" },
  backend: { name: "shop/shop-1", address: "10.0.4.7:9001" },
  health: { backend: "shop/shop-1", source: "prober", status: "HEALTHY" },
  listener: { name: "web", fleet: "edge", address: "0.0.0.0:10000" },
  route: { name: "shop", listeners: ["web"], hosts: ["shop.example"], rules: [RULE] },
  fleet: { name: "edge" },
};

test.each(Object.entries(GOOD))("a small %s is accepted", (kind, json) => {
  expect(parse(kind as Kind, json)).toMatchObject({ ok: true });
});

const rule = (more: object) => ({ rules: [{ ...RULE, ...more }] });
const path = (match: object) => rule({ match: { path: match } });

const BAD: readonly (readonly [Kind, object, field: string])[] = [
  ["service", { name: "Shop" }, "name"],
  ["service", { name: "" }, "name"],
  ["service", { name: "a".repeat(64) }, "name"],
  ["service", { policy: "no_label" }, "policy"],
  ["service", { connectTimeout: "0.009s" }, "connectTimeout"],
  ["service", { connectTimeout: "61s" }, "connectTimeout"],
  ["service", { connectTimeout: "0.0105s" }, "connectTimeout"],
  ["service", { labels: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, ""])) }, "labels"],
  ["service", { labels: { k: "v".repeat(257) } }, "labels.k"],
  ["service", { healthCheck: {} }, "healthCheck"],
  ["service", { healthCheck: { tcp: {}, interval: "1s", timeout: "2s" } }, "healthCheck.interval"],
  ["service", { healthCheck: { tcp: {}, interval: "0.09s" } }, "healthCheck.interval"],
  ["service", { healthCheck: { tcp: {}, unhealthyThreshold: 0 } }, "healthCheck.unhealthyThreshold"],
  ["service", { healthCheck: { tcp: {}, healthyThreshold: 0 } }, "healthCheck.healthyThreshold"],
  ["service", { healthCheck: { tcp: {}, healthyThreshold: 101 } }, "healthCheck.healthyThreshold"],
  ["service", { healthCheck: { tcp: {}, jitterPercent: 51 } }, "healthCheck.jitterPercent"],
  ["service", { healthCheck: { tcp: {}, changingInterval: "6s" } }, "healthCheck.changingInterval"],
  ["service", { healthCheck: { tcp: { send: Buffer.alloc(1025).toString("base64") } } }, "healthCheck.tcp.send"],
  ["service", { healthCheck: { http: { path: "healthz" } } }, "healthCheck.http.path"],
  ["service", { healthCheck: { http: { method: "GET it" } } }, "healthCheck.http.method"],
  ["service", { healthCheck: { http: { expectedBody: "(" } } }, "healthCheck.http.expectedBody"],
  [
    "service",
    { healthCheck: { http: { expectedStatuses: [{ first: 99 }] } } },
    "healthCheck.http.expectedStatuses[0].first",
  ],
  [
    "service",
    { healthCheck: { http: { expectedStatuses: [{ first: 300, last: 200 }] } } },
    "healthCheck.http.expectedStatuses[0].last",
  ],
  ["service", { healthCheck: { http: { headers: { "x y": "" } } } }, "healthCheck.http.headers.x y"],
  ["service", { healthCheck: { http: { headers: { Host: "a" } } } }, "healthCheck.http.headers.Host"],
  ["service", { healthCheck: { http: { host: "a b" } } }, "healthCheck.http.host"],
  ["service", { healthCheck: { http: { tls: { serverName: "a b" } } } }, "healthCheck.http.tls.serverName"],
  [
    "service",
    { healthCheck: { grpc: { tls: { trustedCertificates: "none" } } } },
    "healthCheck.grpc.tls.trustedCertificates",
  ],
  ["policy", { damping: { holdAbove: 999 } }, "damping.holdAbove"],
  ["policy", { damping: { holdAbove: 2000, releaseBelow: 2001 } }, "damping.releaseBelow"],
  ["policy", { damping: { halfLife: "0.5s" } }, "damping.halfLife"],
  ["policy", { damping: { halfLife: "60s", maxHold: "30s" } }, "damping.maxHold"],
  ["backend", { checkPort: 65_536 }, "checkPort"],
  ["backend", { name: "shop" }, "name"],
  ["backend", { address: "10.0.4.7:0" }, "address"],
  ["backend", { address: "10.0.4.7:70000" }, "address"],
  ["backend", { address: "10.0.4.7" }, "address"],
  ["backend", { address: "10.0.4.07:80" }, "address"],
  ["backend", { address: "shop.example:80" }, "address"],
  ["backend", { address: "2001:db8::1:80" }, "address"],
  ["backend", { address: "[fe80::1%eth0]:80" }, "address"],
  ["backend", { address: "[10.0.0.1]:80" }, "address"],
  ["backend", { address: undefined, pipe: "relative" }, "pipe"],
  ["backend", { address: undefined, pipe: `/${"a".repeat(107)}` }, "pipe"],
  ["backend", { address: undefined }, "address"],
  ["backend", { weight: 1_000_001 }, "weight"],
  ["backend", { priority: 128 }, "priority"],
  ["backend", { locality: { zone: "z".repeat(64) } }, "locality.zone"],
  ["health", { source: "me" }, "source"],
  ["health", { status: undefined }, "status"],
  ["health", { backend: "shop" }, "backend"],
  ["listener", { address: "localhost:10000" }, "address"],
  ["listener", { fleet: "" }, "fleet"],
  ["listener", { idleTimeout: "0s" }, "idleTimeout"],
  ["fleet", { expected: 1_000_001 }, "expected"],
  ["fleet", { forgetAfter: "59s" }, "forgetAfter"],
  ["fleet", { forgetAfter: "721h" }, "forgetAfter"],
  ["listener", { requestHeadersTimeout: "601s" }, "requestHeadersTimeout"],
  ["policy", { algorithm: "MAGLEV" }, "hashOn"],
  ["policy", { algorithm: "RING_HASH" }, "hashOn"],
  ["policy", { hashOn: [{}] }, "hashOn[0]"],
  ["policy", { hashOn: [{ all: [{ sourceIp: true }] }] }, "hashOn[0].all"],
  ["policy", { hashOn: [{ sourceIp: true, all: [{ header: "a" }, { header: "b" }] }] }, "hashOn[0].all"],
  [
    "policy",
    { hashOn: [{ all: [{ header: "a" }, { all: [{ header: "b" }, { header: "c" }] }] }] },
    "hashOn[0].all[1].all",
  ],
  ["policy", { hashOn: [{ all: "abcdefghi".split("").map((header) => ({ header })) }] }, "hashOn"],
  ["policy", { hashOn: [{ header: "x y" }] }, "hashOn[0].header"],
  ["policy", { hashOn: [{ cookie: { name: "a;b" } }] }, "hashOn[0].cookie.name"],
  ["policy", { hashOn: [{ sourceIp: false }] }, "hashOn[0].sourceIp"],
  ["policy", { panicThreshold: 101 }, "panicThreshold"],
  ["policy", { leastRequest: { choiceCount: 1 } }, "leastRequest.choiceCount"],
  ["policy", { ringHash: { minimumRingSize: 2000, maximumRingSize: 1000 } }, "ringHash.maximumRingSize"],
  ["policy", { ringHash: { maximumRingSize: 8_388_609 } }, "ringHash.maximumRingSize"],
  ["policy", { maglev: { tableSize: 65_536 } }, "maglev.tableSize"],
  ["policy", { maglev: { tableSize: 5_000_077 } }, "maglev.tableSize"],
  ["policy", { circuitBreakers: { maxRetries: 1_000_000_001 } }, "circuitBreakers.maxRetries"],
  ["policy", { outlierDetection: { maxEjectionPercent: 101 } }, "outlierDetection.maxEjectionPercent"],
  ["route", { listeners: [] }, "listeners"],
  ["route", { listeners: ["web", "listeners/web"] }, "listeners[1]"],
  ["route", { hosts: [] }, "hosts"],
  ["route", { hosts: ["*shop.example"] }, "hosts[0]"],
  ["route", { hosts: ["shop.*"] }, "hosts[0]"],
  ["route", { hosts: ["shop.example:80"] }, "hosts[0]"],
  ["route", { hosts: ["a..b"] }, "hosts[0]"],
  ["route", { hosts: ["shop.example", "SHOP.example"] }, "hosts[1]"],
  ["route", { rules: [] }, "rules"],
  ["route", { rules: [RULE, RULE] }, "rules[1]"],
  ["route", { rules: [{ to: [] }] }, "rules[0].to"],
  ["route", rule({ to: [{ service: "shop", weight: 0 }] }), "rules[0].to"],
  ["route", rule({ to: [{ service: "a", weight: 1 }, { service: "b" }] }), "rules[0].to[1].weight"],
  ["route", rule({ to: [{ service: "a" }, { service: "services/a" }] }), "rules[0].to[1]"],
  ["route", rule({ to: [{ service: "a", weight: 1_000_001 }] }), "rules[0].to[0].weight"],
  ["route", rule({ priority: 1001 }), "rules[0].priority"],
  ["route", rule({ timeout: "86401s" }), "rules[0].timeout"],
  ["route", rule({ retry: {} }), "rules[0].retry.attempts"],
  ["route", rule({ retry: { attempts: 11 } }), "rules[0].retry.attempts"],
  ["route", rule({ retry: { attempts: 1, on: ["500"] } }), "rules[0].retry.on[0]"],
  ["route", path({}), "rules[0].match.path"],
  ["route", path({ prefix: "api" }), "rules[0].match.path.prefix"],
  ["route", path({ prefix: "/api?x" }), "rules[0].match.path.prefix"],
  ["route", path({ exact: "/a//b" }), "rules[0].match.path.exact"],
  ["route", path({ exact: "/a/../b" }), "rules[0].match.path.exact"],
  ["route", path({ exact: `/${"a".repeat(1024)}` }), "rules[0].match.path.exact"],
  ["route", path({ regex: "(" }), "rules[0].match.path.regex"],
  ["route", path({ regex: "(?<=a)b" }), "rules[0].match.path.regex"],
  ["route", path({ regex: "a{100}" }), "rules[0].match.path.regex"],
  ["route", path({ regex: ".{20}" }), "rules[0].match.path.regex"],
  ["route", path({ regex: "" }), "rules[0].match.path.regex"],
  ["route", rule({ match: { path: { regex: "/a" } }, rewrite: { prefix: "/b" } }), "rules[0].rewrite.prefix"],
  ["route", rule({ rewrite: { prefix: "b" } }), "rules[0].rewrite.prefix"],
  ["route", rule({ rewrite: { host: "a b" } }), "rules[0].rewrite.host"],
  ["route", rule({ match: { headers: [{ name: "x y", present: true }] } }), "rules[0].match.headers[0].name"],
  ["route", rule({ match: { headers: [{ name: ":foo", present: true }] } }), "rules[0].match.headers[0].name"],
  ["route", rule({ match: { headers: [{ name: "x" }] } }), "rules[0].match.headers[0]"],
  ["route", rule({ match: { headers: [{ name: "x", prefix: "" }] } }), "rules[0].match.headers[0].prefix"],
  ["route", rule({ match: { methods: ["get"] } }), "rules[0].match.methods[0]"],
];

test.each(BAD)("a %s with %j is refused at %s", (kind, json, field) => {
  const given = Object.entries({ ...GOOD[kind], ...json }).filter(([, value]) => value !== undefined);
  expect(parse(kind, Object.fromEntries(given))).toMatchObject({ ok: false, violations: [{ field }] });
});

test("a duration below zero, as only a program can send it, is refused", () => {
  const read = messageFromJson("service", { name: "shop", drainTime: "1s" });
  if (!read.ok) throw new Error("refused");
  read.message.drainTime = { ...read.message.drainTime, seconds: -1n } as never;
  expect(parseObject("service", read.message)).toMatchObject({ ok: false, violations: [{ field: "drainTime" }] });
});

test("an enum's number that nobody knows is refused", () => {
  const read = messageFromJson("policy", { name: "shop" });
  if (!read.ok) throw new Error("refused");
  read.message.algorithm = 99 as never;
  expect(parseObject("policy", read.message)).toMatchObject({ ok: false, violations: [{ field: "algorithm" }] });
});

test("every bad field is named in one answer", () => {
  const parsed = parse("route", { name: "Shop", listeners: ["?"], hosts: [], rules: [{}] });
  expect(parsed.ok ? [] : parsed.violations.map(({ field }) => field).toSorted()).toEqual([
    "hosts",
    "listeners[0]",
    "name",
    "rules[0].to",
  ]);
});

test("names, addresses, hosts and header names get their one spelling, in the message too", () => {
  const backend = parse("backend", { name: "services/shop/backends/a", address: "[2001:DB8:0::1]:80" });
  expect(backend).toMatchObject({
    ok: true,
    message: { name: "shop/a", target: { value: "[2001:db8::1]:80" } },
    object: { name: "shop/a", target: { ip: "2001:db8::1", port: 80 } },
  });
  const route = parse("route", {
    ...GOOD.route,
    hosts: ["*.Shop.Example"],
    rules: [
      {
        match: { path: { prefix: "/api/" }, headers: [{ name: "X-Canary", present: true }] },
        to: [{ service: "services/shop" }],
      },
    ],
  });
  expect(route).toMatchObject({
    ok: true,
    object: {
      hosts: ["*.shop.example"],
      rules: [{ path: { path: "/api" }, headers: [{ name: "x-canary" }], to: [{ service: "shop", weight: 1 }] }],
    },
    message: {
      rules: [{ match: { path: { kind: { value: "/api" } } }, to: [{ service: "shop" }] }],
    },
  });
});

test("defaults are in the object and not in the message", () => {
  expect(parse("service", GOOD.service)).toMatchObject({
    ok: true,
    object: { protocol: "HTTP", policy: undefined, connectTimeoutMs: 5000, drainTimeMs: 300_000 },
    message: { protocol: 0, policy: "" },
  });
  expect(parse("fleet", GOOD.fleet)).toMatchObject({
    ok: true,
    object: { nodes: { cluster: "edge" }, expected: undefined, forgetAfterMs: 3_600_000 },
  });
});

test("a fleet of which nobody expects a proxy is not one of which nobody said how many", () => {
  expect(parse("fleet", { ...GOOD.fleet, expected: 0 })).toMatchObject({ ok: true, object: { expected: 0 } });
});

test("a fleet that would forget proxies too soon is told what would be right", () => {
  const text = JSON.stringify(parse("fleet", { ...GOOD.fleet, forgetAfter: "10s" }));
  expect(text).toContain("must be from 60s to 2592000s, not 10s: a proxy that a rolling restart stops");
});
