import { describe, expect, test } from "vitest";
import { conditions, conditionsOf } from "../../../src/domain/conditions.ts";
import { callPaths, hashedHeaders, policyDifferences } from "../../../src/domain/grpc-clients.ts";
import type { PathMatch } from "../../../src/domain/route.ts";
import { messageFromJson } from "../../../src/schema/object-json.ts";
import { parseObject } from "../../../src/schema/parse-object.ts";
import { objectsOf, stateOf } from "../../support/state-of.ts";

describe("paths, as clients compare them", () => {
  const exact = (path: string) => ({ kind: "exact", path }) as const;
  const prefix = (path: string) => ({ kind: "prefix", path }) as const;
  test.each<[PathMatch, readonly PathMatch[]]>([
    [exact("/a.B/C"), [exact("/a.B/C")]],
    [exact("/a.B/C/"), [exact("/a.B/C/")]],
    [prefix("/"), [prefix("/")]],
    [prefix("/a.B"), [exact("/a.B"), prefix("/a.B/")]],
    [prefix("/api/a.B/C"), [exact("/api/a.B/C"), prefix("/api/a.B/C/")]],
    [{ kind: "regex", regex: "/a\\..*/C" }, [{ kind: "regex", regex: "/a\\..*/C" }]],
  ])("%j becomes %j", (path, expected) => expect(callPaths(path)).toEqual(expected));
});

test.each([
  [{ algorithm: "ROUND_ROBIN", hashOn: [] }, []],
  [{ algorithm: "RING_HASH", hashOn: [{ kind: "header", name: "x-user" }] }, []],
  [{ algorithm: "RANDOM", hashOn: [] }, ["not all gRPC clients know RANDOM: they use ROUND_ROBIN"]],
  [
    { algorithm: "RING_HASH", hashOn: [{ kind: "sourceIp" }] },
    ["gRPC clients hash by headers only, and hashOn has none that they see: they use ROUND_ROBIN"],
  ],
] as const)("of %j clients do otherwise: %j", (policy, expected) =>
  expect(policyDifferences(policy)).toEqual(expected),
);

test("what gRPC keeps from routes is not hashed by", () => {
  const keys = ["x-user", ":path", "trace-bin", "user-agent", "x-forwarded-for"].map(
    (name) => ({ kind: "header", name }) as const,
  );
  expect(hashedHeaders({ kind: "all", keys }).map(({ name }) => name)).toEqual(["x-user"]);
});

test.each([
  [{ address: "0.0.0.0:80" }, "address"],
  [{ idleTimeout: "60s" }, "idleTimeout"],
])("a listener of protocol GRPC with %j is refused, with what would be right", (more, field) => {
  const read = messageFromJson("listener", { name: "calls", fleet: "edge", protocol: "GRPC", ...more });
  const parsed = read.ok ? parseObject("listener", read.message) : read;
  expect(parsed).toMatchObject({
    ok: false,
    violations: [{ field, message: expect.stringContaining("must be left out for protocol GRPC") }],
  });
});

describe("a rule that clients cannot carry out", () => {
  const told = (listener: object, rule: object) => {
    const state = stateOf(
      objectsOf([
        { kind: "Fleet", name: "edge" },
        { kind: "Listener", name: "on", fleet: "edge", ...listener },
        { kind: "Service", name: "shop", protocol: "HTTP2" },
        {
          kind: "Route",
          name: "r",
          listeners: ["on"],
          hosts: ["shop.example"],
          rules: [{ to: [{ service: "shop" }], ...rule }],
        },
      ]),
    );
    return conditionsOf(conditions(state), "route", "r").map(({ reason }) => reason);
  };
  const rewrite = { rewrite: { host: "inside.example" } };

  test("is told on its route", () => {
    expect(told({ protocol: "GRPC" }, rewrite)).toEqual(["HeldForGrpc"]);
    expect(told({ protocol: "GRPC" }, { match: { headers: [{ name: "x-forwarded-proto", exact: "http" }] } })).toEqual([
      "HeldForGrpc",
    ]);
    expect(told({ protocol: "GRPC" }, { retry: { attempts: 1, on: ["unavailable", "reset"] } })).toEqual([
      "DifferentForGrpc",
    ]);
    expect(told({ protocol: "GRPC" }, {})).toEqual([]);
    expect(told({ protocol: "GRPC" }, { ...rewrite, match: { methods: ["GET"] } })).toEqual([]);
  });

  test("is none where proxies serve it", () => expect(told({ address: "0.0.0.0:80" }, rewrite)).toEqual([]));
});
