import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { claimsOn, collidingListener, fleetListeners, movesListener } from "../../../src/domain/fleet-listeners.ts";
import type { HttpListener } from "../../../src/domain/listener.ts";
import { objectsOf, stateOf } from "../../support/state-of.ts";

interface Given {
  readonly name: string;
  readonly day: number;
  readonly fleet: string;
  readonly address: string;
}

function listenersOf(given: readonly Given[]) {
  const manifests = given.map(({ name, day, fleet, address }) => ({
    kind: "Listener",
    name,
    meta: { createTime: `2026-01-0${day}T00:00:00Z` },
    fleet,
    address,
  }));
  return stateOf(objectsOf(manifests));
}

const given = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom("a", "b", "c", "d", "e", "f"),
    day: fc.integer({ min: 1, max: 3 }),
    fleet: fc.constantFrom("edge", "core"),
    address: fc.constantFrom("0.0.0.0:80", "0.0.0.0:81", "127.0.0.1:80", "[::]:80"),
  }),
  { selector: ({ name }) => name },
);

test("of two listeners that collide the older one is open, and the door names the same holder as derivation", () => {
  fc.assert(
    fc.property(given, (all) => {
      const state = listenersOf(all);
      const fleets = fleetListeners(state);
      for (const { name, fleet, address } of all) {
        const listener = state.get("listener", name) as HttpListener;
        const { open = [], refused } = fleets.get(fleet) ?? {};
        const rivals = all.filter((one) => one.fleet === fleet && one.address === address);
        const [oldest] = rivals.toSorted((a, b) => a.day - b.day || (a.name < b.name ? -1 : 1));
        expect(open.includes(listener)).toBe(oldest?.name === name);
        expect(refused?.get(name)?.name).toBe(oldest?.name === name ? undefined : oldest?.name);
        expect(collidingListener(open, listener)).toBe(refused?.get(name));
      }
    }),
  );
});

test("a listener moves when its fleet or its address is another one, and by nothing else", () => {
  const state = listenersOf([{ name: "web", day: 1, fleet: "edge", address: "0.0.0.0:80" }]);
  const web = state.get("listener", "web") as HttpListener;
  expect(movesListener(undefined, web)).toBe(true);
  expect(movesListener(web, { ...web, fleet: "core" })).toBe(true);
  expect(movesListener(web, { ...web, port: 81 })).toBe(true);
  expect(movesListener(web, { ...web, ip: "127.0.0.1" })).toBe(true);
  expect(movesListener(web, { ...web, idleTimeoutMs: 1000 })).toBe(false);
});

describe("what of one address only one listener can have", () => {
  const shared = (one: Parameters<typeof claimsOn>[1], other: Parameters<typeof claimsOn>[1]) =>
    claimsOn("0.0.0.0:443", one).filter((claim) => claimsOn("0.0.0.0:443", other).includes(claim));

  test.each([
    [{ transport: "TCP" }, { transport: "TCP" }],
    [{ transport: "UDP" }, { transport: "UDP" }],
    [
      { transport: "TCP", serverNames: ["a.test", "*.b.test"] },
      { transport: "TCP", serverNames: ["c.test", "*.b.test"] },
    ],
  ] as const)("%j and %j collide", (one, other) => expect(shared(one, other)).toHaveLength(1));

  test.each([
    [{ transport: "TCP" }, { transport: "UDP" }],
    [{ transport: "TCP" }, { transport: "TCP", serverNames: ["a.test"] }],
    [
      { transport: "TCP", serverNames: ["a.test"] },
      { transport: "TCP", serverNames: ["*.test"] },
    ],
    [
      { transport: "TCP", serverNames: ["a.test"] },
      { transport: "UDP", serverNames: ["a.test"] },
    ],
  ] as const)("%j and %j share it", (one, other) => expect(shared(one, other)).toEqual([]));
});
