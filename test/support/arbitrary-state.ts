import * as fc from "fast-check";
import type { Kind } from "../../src/domain/name.ts";

export type Manifest = { kind: string } & Record<string, unknown>;

const SERVICES = ["a", "b", "c", "projects/p/services/d"] as const;
const LISTENERS = ["web", "alt", "third"] as const;
const FLEETS = ["edge", "core"] as const;
const ADDRESSES = [...[1, 2, 3, 4, 5, 6].map((host) => `10.0.0.${host}:80`), "127.0.0.1:80", "[::ffff:7f00:1]:80"];
const name = (names: readonly string[]) => fc.constantFrom(...names);

const meta = fc.record({
  uid: fc.constantFrom("u1", "u2"),
  createTime: fc.integer({ min: 0, max: 3 }).map((day) => `2026-01-0${day + 1}T00:00:00Z`),
});

const maybeThere = fc.constantFrom(
  { header: "x-user" },
  { queryParameter: "q" },
  { all: [{ header: "x-tenant" }, { cookie: { name: "u" } }] },
);
const alwaysThere = fc.constantFrom({ sourceIp: true }, { cookie: { name: "c", ttl: "60s" } });
const hashOn = fc
  .tuple(fc.array(maybeThere, { maxLength: 2 }), fc.option(alwaysThere))
  .map(([keys, last]) => (last === null ? keys : [...keys, last]))
  .filter((keys) => keys.length > 0);

const path = fc.oneof(
  fc.constantFrom("/", "/api", "/api/v2", "/apix").map((prefix) => ({ prefix })),
  fc.constantFrom("/", "/api", "/api/v2").map((exact) => ({ exact })),
  fc.constantFrom("/.*", "/api/[0-9]+").map((regex) => ({ regex })),
);

const match = fc.record(
  {
    path,
    headers: fc.array(
      fc.record({ name: fc.constantFrom("x-a", "x-b"), exact: fc.constantFrom("1", "2"), invert: fc.boolean() }),
      { maxLength: 2 },
    ),
    methods: fc.uniqueArray(fc.constantFrom("GET", "PUT", "POST"), { maxLength: 2 }),
  },
  { requiredKeys: [] },
);

const rule = fc
  .record(
    {
      match,
      priority: fc.integer({ min: -1, max: 1 }),
      to: fc.uniqueArray(fc.record({ service: name([...SERVICES, "ghost"]), weight: fc.integer({ min: 1, max: 5 }) }), {
        minLength: 1,
        maxLength: 3,
        selector: ({ service }) => service,
      }),
      timeout: fc.constantFrom("0s", "1.5s"),
      rewrite: fc.record(
        { prefix: fc.constantFrom("/", "/new"), host: fc.constant("in.example") },
        { requiredKeys: [] },
      ),
      retry: fc.record(
        {
          attempts: fc.integer({ min: 1, max: 3 }),
          on: fc.constantFrom([], ["5xx"], ["connect-failure"]),
          unsafe: fc.boolean(),
        },
        { requiredKeys: ["attempts"] },
      ),
    },
    { requiredKeys: ["to"] },
  )
  .filter(
    ({ match, rewrite }) => !(match?.path !== undefined && "regex" in match.path && rewrite?.prefix !== undefined),
  );

/** Coarser than what counts as a duplicate, so that no route is refused. */
const ruleKey = ({ match, priority = 0 }: { match?: { path?: unknown }; priority?: number }) =>
  JSON.stringify([match?.path ?? { prefix: "/" }, priority]);

const MANIFESTS: { readonly [K in Kind]: fc.Arbitrary<Manifest> } = {
  service: fc.record(
    {
      kind: fc.constant("Service"),
      name: name(SERVICES),
      meta,
      protocol: fc.constantFrom("HTTP", "HTTP2"),
      policy: name([...SERVICES.slice(0, 3), "none"]),
    },
    { requiredKeys: ["kind", "name", "meta"] },
  ),
  policy: fc.record({
    kind: fc.constant("Policy"),
    name: name(SERVICES.slice(0, 3)),
    meta,
    algorithm: fc.constantFrom("ROUND_ROBIN", "LEAST_REQUEST", "RING_HASH", "MAGLEV", "RANDOM"),
    panicThreshold: fc.integer({ min: 0, max: 100 }),
    hashOn,
  }),
  backend: fc.record({
    kind: fc.constant("Backend"),
    name: fc.tuple(name(SERVICES), fc.integer({ min: 1, max: 4 })).map(([service, id]) => backendName(service, id)),
    meta,
    address: fc.constantFrom(...ADDRESSES),
    weight: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant(1_000_000)),
    priority: fc.constantFrom(0, 0, 2, 7),
    locality: fc.record({ zone: fc.constantFrom("", "z1", "z2") }),
    metadata: fc.dictionary(fc.constantFrom("k1", "k2", "3", "1"), fc.string({ maxLength: 5 }), { maxKeys: 4 }),
    state: fc.constantFrom("ACTIVE", "ACTIVE", "DRAINING"),
  }),
  health: fc.record({
    kind: fc.constant("Health"),
    backend: fc.tuple(name(SERVICES), fc.integer({ min: 1, max: 5 })).map(([service, id]) => backendName(service, id)),
    meta,
    source: fc.constantFrom("prober", "override", "reporter:a"),
    status: fc.constantFrom("HEALTHY", "DEGRADED", "UNHEALTHY"),
    backendUid: fc.constantFrom("u1", "u2"),
  }),
  listener: fc
    .tuple(
      fc.record({
        kind: fc.constant("Listener"),
        name: name(LISTENERS),
        meta,
        fleet: name([...FLEETS, "nowhere"]),
      }),
      fc.constantFrom(
        ...["127.0.0.1:10000", "127.0.0.1:10001", "[::1]:10000", "[::]:10001"].map((address) => ({ address })),
        { protocol: "GRPC" },
      ),
    )
    .map(([listener, where]) => ({ ...listener, ...where })),
  route: fc.record({
    kind: fc.constant("Route"),
    name: name(["r1", "r2", "r3"]),
    meta,
    listeners: fc.uniqueArray(name([...LISTENERS, "missing"]), { minLength: 1 }),
    hosts: fc.uniqueArray(fc.constantFrom("*", "*.shop.example", "shop.example", "other.example"), { minLength: 1 }),
    rules: fc.uniqueArray(rule, { minLength: 1, maxLength: 4, selector: ruleKey }),
  }),
  fleet: fc.record({
    kind: fc.constant("Fleet"),
    name: name(FLEETS),
    meta,
    backendNetworks: fc.subarray(["10.0.0.0/30", "10.0.0.0/8", "127.0.0.0/8", "0.0.0.0/0"]),
    profile: fc.constantFrom(0, 1, 2),
    expected: fc.constantFrom(0, 12),
    forgetAfter: fc.constantFrom("60s", "2h"),
  }),
};

/** Objects with few names, so that they refer to each other, conflict and dangle. A later one replaces an earlier. */
export const manifests: fc.Arbitrary<Manifest[]> = fc.array(fc.oneof(...Object.values(MANIFESTS)), { maxLength: 40 });

export function manifestsOf(kind: Kind): fc.Arbitrary<Manifest> {
  return MANIFESTS[kind];
}

function backendName(service: string, id: number): string {
  return service.includes("/") ? `${service}/backends/b${id}` : `${service}/b${id}`;
}
