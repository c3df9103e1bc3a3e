import { expect, test } from "vitest";
import type { Kind } from "../../../src/domain/name.ts";
import { messageFromJson } from "../../../src/schema/object-json.ts";
import { parseObject } from "../../../src/schema/parse-object.ts";
import { BAD_VALUES, GOOD, given } from "../../support/bad-manifests.ts";

function parse(kind: Kind, json: object) {
  const read = messageFromJson(kind, json);
  if (!read.ok) throw new Error(JSON.stringify(read.violations));
  return parseObject(kind, read.message);
}

test.each(Object.entries(GOOD))("a small %s is accepted", (kind, json) => {
  expect(parse(kind as Kind, json)).toMatchObject({ ok: true });
});

test.each(BAD_VALUES)("a %s with %j is refused at %s", (kind, json, field) => {
  expect(parse(kind, given(kind, json))).toMatchObject({ ok: false, violations: [{ field }] });
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
