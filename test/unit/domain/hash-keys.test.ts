import { expect, test } from "vitest";
import { hidingKey } from "../../../src/domain/hash-keys.ts";
import type { HashKey, SingleHashKey } from "../../../src/domain/policy.ts";

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
