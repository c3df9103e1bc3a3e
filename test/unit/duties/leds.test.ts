import { describe, expect, it } from "vitest";
import type { LedsRecord } from "../../../src/domain/leds-record.ts";
import { routingState } from "../../../src/domain/routing-state.ts";
import { digestOf, planLeds } from "../../../src/duties/leds.ts";
import { memberPaths } from "../../../src/resources/leds.ts";
import { objectsOf, stateOf } from "../../support/state-of.ts";

const EPOCH = 3;

function backends(count: number, from = 0) {
  return Array.from({ length: count }, (_, i) => {
    const n = from + i;
    return { kind: "Backend", name: `shop/b-${n}`, address: `10.0.${n >> 8}.${n & 255}:80` };
  });
}

type Manifests = Parameters<typeof objectsOf>[0];

function stateWith(manifests: Manifests, { record, discovery }: { record?: LedsRecord; discovery?: string } = {}) {
  const service = { kind: "Service", name: "shop", ...(discovery && { endpointDiscovery: discovery }) };
  return stateOf(objectsOf([service, ...manifests]), new Map(record && [["shop", record]]));
}

const membersOf = (manifests: Manifests) => memberPaths(routingState(stateWith(manifests), "shop"));
const recordOf = (manifests: Manifests, more: Partial<LedsRecord> = {}): LedsRecord => ({
  generation: "g1",
  epoch: EPOCH,
  digest: digestOf(membersOf(manifests)),
  departed: [],
  ...more,
});

function plan(
  manifests: Manifests,
  given: { record?: LedsRecord; discovery?: string; known?: Manifests; now?: number } = {},
) {
  const known = given.known && membersOf(given.known);
  return planLeds(stateWith(manifests, given), "shop", {
    now: given.now ?? 1_000_000,
    epoch: EPOCH,
    membersAt: (digest) => (known && digestOf(known) === digest ? known : undefined),
  });
}

describe("the LEDS plan: on and off", () => {
  it("switches it on at 1000 backends and off below 500, and changes nothing in between", () => {
    expect(plan(backends(999))).toEqual({ change: "none" });
    expect(plan(backends(1000)).change).toBe("put");
    expect(plan(backends(500), { record: recordOf(backends(500)) })).toEqual({ change: "none" });
    expect(plan(backends(499), { record: recordOf(backends(499)) })).toEqual({ change: "delete" });
  });

  it("follows what the service says, whatever its size", () => {
    expect(plan(backends(1), { discovery: "LEDS" }).change).toBe("put");
    expect(plan(backends(2000), { discovery: "EDS" })).toEqual({ change: "none" });
    expect(plan(backends(2000), { discovery: "EDS", record: recordOf(backends(2000)) })).toEqual({ change: "delete" });
  });

  it("is off while any backend is not an IP address and a port", () => {
    const pipe = { kind: "Backend", name: "shop/p", pipe: "/run/p.sock" };
    expect(plan([...backends(2), pipe], { discovery: "LEDS" })).toEqual({ change: "none" });
    expect(plan([...backends(2), pipe], { discovery: "LEDS", record: recordOf(backends(2)) }).change).toBe("delete");
  });

  it("is gone with the service", () => {
    const state = stateOf([], new Map([["shop", recordOf(backends(2))]]));
    expect(planLeds(state, "shop", { now: 1, epoch: EPOCH, membersAt: () => undefined })).toEqual({ change: "delete" });
  });
});

describe("the LEDS plan: generations", () => {
  const discovery = "LEDS";

  it("goes on with a generation while members join, and while it knows who left", () => {
    const [before, after] = [backends(3), backends(3, 1)];
    const put = plan(after, { discovery, known: before, record: recordOf(before) });
    expect(put).toMatchObject({ change: "put", record: { generation: "g1", digest: digestOf(membersOf(after)) } });
    const left = [...membersOf(before)].filter((path) => !membersOf(after).has(path));
    expect(put.change === "put" && put.record.departed).toEqual(left);
  });

  it("forgets that a member left when it has come back", () => {
    const [before, after] = [backends(2), backends(3)];
    const departed = [...membersOf(backends(1, 2)), ...membersOf(backends(1, 9))];
    const put = plan(after, { discovery, known: before, record: recordOf(before, { departed }) });
    expect(put.change === "put" && put.record.departed).toEqual([...membersOf(backends(1, 9))]);
  });

  it("counts a move to another locality as leaving the one before", () => {
    const before = backends(2);
    const after = before.map((one, i) => (i === 0 ? { ...one, locality: { zone: "b" } } : one));
    const put = plan(after, { discovery, known: before, record: recordOf(before) });
    expect(put.change === "put" && put.record.departed).toHaveLength(1);
  });

  it("begins a new one when nobody knows who left, when the store has begun a new epoch, and when too many left", () => {
    const before = backends(3);
    const after = backends(3, 1);
    const now = 2_000_000;
    const begun = { change: "put", record: { generation: now.toString(36), epoch: EPOCH, departed: [] } };
    expect(plan(after, { discovery, record: recordOf(before), now })).toMatchObject(begun);
    expect(plan(before, { discovery, record: recordOf(before, { epoch: 2 }), now })).toMatchObject(begun);
    const departed = Array.from({ length: 1000 }, (_, i) => `group/gone-${i}`);
    const full = recordOf(before, { departed });
    expect(plan(after, { discovery, known: before, record: full, now })).toMatchObject(begun);
  });

  it("never gives a generation the name of an earlier one, also when the clock stands still or goes back", () => {
    const now = 5_000_000;
    const record = recordOf(backends(1), { generation: now.toString(36), epoch: 1 });
    const put = plan(backends(1), { discovery, record, now: now - 1000 });
    expect(put.change === "put" && put.record.generation).toBe((now + 1).toString(36));
  });
});
