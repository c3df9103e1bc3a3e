import { describe, expect, it } from "vitest";
import { Beginnings } from "../../../src/duties/beginnings.ts";
import { planDrain } from "../../../src/duties/drain.ts";
import { planExpire } from "../../../src/duties/expire.ts";
import { objectsOf, stateOf } from "../../support/state-of.ts";

const at = (second: number) => new Date(second * 1000).toISOString();
const SHOP = { kind: "Service", name: "shop", drainTime: "30s" };

describe("the drain plan", () => {
  const draining = (id: string, since: number) => ({
    kind: "Backend",
    name: `shop/${id}`,
    address: "10.0.0.1:80",
    state: "DRAINING",
    drainTime: at(since),
  });
  const plan = (second: number, ...manifests: Parameters<typeof objectsOf>[0]) => {
    const { due, nextAt } = planDrain(stateOf(objectsOf(manifests)), second * 1000);
    return { due: due.map(({ name }) => name), nextAt };
  };

  it("removes what has drained for the service's drain time, not a millisecond earlier", () => {
    expect(plan(129.999, SHOP, draining("a", 100))).toEqual({ due: [], nextAt: 130_000 });
    expect(plan(130, SHOP, draining("a", 100))).toEqual({ due: ["shop/a"], nextAt: undefined });
  });

  it("tells when the next drain ends", () => {
    expect(plan(131, SHOP, draining("a", 100), draining("b", 110), draining("c", 120))).toEqual({
      due: ["shop/a"],
      nextAt: 140_000,
    });
  });

  it("takes a drain that another clock put into the future to begin when it is first seen", () => {
    const state = stateOf(objectsOf([SHOP, draining("a", 34_560_000)]));
    const beginnings = new Beginnings();
    expect(planDrain(state, 100_000, beginnings)).toEqual({ due: [], nextAt: 130_000 });
    expect(planDrain(state, 129_999, beginnings)).toEqual({ due: [], nextAt: 130_000 });
    expect(planDrain(state, 130_000, beginnings).due).toHaveLength(1);
  });

  it("leaves active backends alone", () => {
    const active = { kind: "Backend", name: "shop/a", address: "10.0.0.1:80" };
    expect(plan(1_000_000, SHOP, active)).toEqual({ due: [], nextAt: undefined });
  });
});

describe("the expire plan", () => {
  const backend = { kind: "Backend", name: "shop/a", address: "10.0.0.1:80" };
  const verdict = (source: string, more: object = {}) => ({
    kind: "Health",
    backend: "shop/a",
    source,
    status: "HEALTHY",
    ...more,
  });
  const plan = (second: number, ...manifests: Parameters<typeof objectsOf>[0]) => {
    const { due, nextAt } = planExpire(stateOf(objectsOf(manifests)), second * 1000);
    return { due: due.map(({ source }) => source), nextAt };
  };

  it("removes an override when its time has come, and tells when that is", () => {
    const override = verdict("override", { expireTime: at(100) });
    expect(plan(99, SHOP, backend, override)).toEqual({ due: [], nextAt: 100_000 });
    expect(plan(100, SHOP, backend, override)).toEqual({ due: ["override"], nextAt: undefined });
  });

  it("lets a verdict that another clock put into the future count for as long as it was to", () => {
    const meta = { uid: "u", updateTime: at(34_560_000) };
    const state = stateOf(objectsOf([SHOP, backend, verdict("override", { meta, expireTime: at(34_560_060) })]));
    const beginnings = new Beginnings();
    expect(planExpire(state, 100_000, beginnings)).toEqual({ due: [], nextAt: 160_000 });
    expect(planExpire(state, 160_000, beginnings).due).toHaveLength(1);
  });

  it("keeps what has no end", () => {
    expect(plan(1_000_000, SHOP, backend, verdict("reporter:x"))).toEqual({ due: [], nextAt: undefined });
  });

  it("removes verdicts on backends that are gone or another one", () => {
    expect(plan(1, SHOP, verdict("reporter:x")).due).toEqual(["reporter:x"]);
    expect(plan(1, SHOP, backend, verdict("reporter:x", { backendUid: "earlier" })).due).toEqual(["reporter:x"]);
  });

  it("removes the prober's verdicts of a service without a check", () => {
    expect(plan(1, SHOP, backend, verdict("prober")).due).toEqual(["prober"]);
    expect(plan(1, { ...SHOP, healthCheck: { tcp: {} } }, backend, verdict("prober")).due).toEqual([]);
  });
});
