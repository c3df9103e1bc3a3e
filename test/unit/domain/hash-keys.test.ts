import { describe, expect, test } from "vitest";
import { conditions } from "../../../src/domain/conditions.ts";
import { hidingKey } from "../../../src/domain/hash-keys.ts";
import type { HashKey, SingleHashKey } from "../../../src/domain/policy.ts";
import { objectsOf, stateOf } from "../../support/state-of.ts";

const header = (name: string): SingleHashKey => ({ kind: "header", name });
const cookie = (ttlMs?: number): SingleHashKey => ({ kind: "cookie", name: "c", ttlMs, path: "" });
const ip: SingleHashKey = { kind: "sourceIp" };
const all = (...keys: readonly SingleHashKey[]): HashKey => ({ kind: "all", keys });

test.each([
  ["a cookie that proxies make", [cookie(0), header("x-a")], 0],
  ["an address", [header("x-a"), ip, header("x-b")], 1],
  ["a path", [header(":path"), ip], 0],
  ["one of several together", [all(header("x-a"), ip), header("x-b")], 0],
])("%s hides what stands behind", (_, keys, index) => {
  expect(hidingKey(keys)?.index).toBe(index);
});

test.each([
  ["nothing", []],
  ["the last", [header("x-a"), cookie(), { kind: "queryParameter", name: "q" } as const, ip]],
  ["several together that may be missing", [all(header("x-a"), cookie()), cookie(60_000)]],
])("%s hides no key", (_, keys) => {
  expect(hidingKey(keys)).toBeUndefined();
});

describe("the condition of keys that never count", () => {
  const route = (...to: readonly object[]) => ({
    kind: "Route",
    name: "r",
    listeners: ["web"],
    hosts: ["*"],
    rules: [{ to }],
  });
  const policies = [
    ["shop", [{ header: "x-user" }, { cookie: { name: "c", ttl: "1h" } }]],
    ["pay", [{ header: "x-tenant" }]],
    ["like-shop", [{ header: "x-user" }]],
  ].flatMap(([name, hashOn]) => [
    { kind: "Service", name },
    { kind: "Policy", name, algorithm: "MAGLEV", hashOn },
  ]) as ({ kind: string } & Record<string, unknown>)[];
  const told = (...manifests: readonly ({ kind: string } & Record<string, unknown>)[]) => {
    const all = [...conditions(stateOf(objectsOf([...policies, ...manifests])))];
    return all.flatMap(([id, list]) =>
      list.filter(({ reason }) => reason === "HashKeyHidden").map(({ message }) => `${id} ${message}`),
    );
  };

  test("is on a route that leads to services whose keys hide each other's", () => {
    expect(told(route({ service: "shop", weight: 1 }, { service: "pay", weight: 1 }))).toEqual([
      expect.stringMatching(
        /^route\/r rules\[0\]: what pay is hashed by never counts behind the keys of shop: proxies make/,
      ),
    ]);
  });

  test("is not where the keys may be missing, are the same, or get no request", () => {
    expect(told(route({ service: "pay", weight: 1 }, { service: "shop", weight: 1 }))).toEqual([]);
    expect(told(route({ service: "shop", weight: 1 }, { service: "like-shop", weight: 1 }))).toEqual([]);
    expect(told(route({ service: "shop", weight: 1 }, { service: "pay", weight: 0 }))).toEqual([]);
    expect(told(route({ service: "shop" }))).toEqual([]);
  });

  test("is on a policy that an earlier release let in", () => {
    const old = { kind: "Policy", name: "old", algorithm: "RING_HASH", hashOn: [{ sourceIp: true }, { header: "x" }] };
    expect(told(old)).toEqual([
      "policy/old hashOn[1] never counts behind hashOn[0]: every client has an address; put it before that one, or hash both together: `{ all: […, …] }`",
    ]);
  });
});
