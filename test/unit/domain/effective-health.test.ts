import { describe, expect, it } from "vitest";
import { effectiveHealth, eligibility } from "../../../src/domain/eligibility.ts";
import { routingState } from "../../../src/domain/routing-state.ts";
import { objectsOf, stateOf } from "../../support/state-of.ts";

const BACKEND = { kind: "Backend", name: "shop/shop-1", address: "10.0.0.1:80" };
const check = (more: object = {}) => ({ kind: "Service", name: "shop", healthCheck: { http: {}, ...more } });
const says = (source: string, status: string) => ({ kind: "Health", backend: "shop/shop-1", source, status });

function effective(...manifests: Parameters<typeof objectsOf>[0]) {
  const state = stateOf(objectsOf([BACKEND, ...manifests]));
  const backend = state.get("backend", "shop/shop-1");
  if (backend === undefined) throw new Error("the backend is there");
  const health = effectiveHealth(backend, state.healthOf(backend.name), state.get("service", "shop")?.healthCheck);
  const [routed] = routingState(state, "shop").backends;
  const { eligible, reason } = eligibility(backend, health, undefined);
  return { status: health.status, source: health.verdict?.source, eligible, reason, envoy: routed?.status };
}

describe("the effective verdict", () => {
  it("is pending until a check has proven the backend", () => {
    expect(effective(check())).toMatchObject({
      status: "PENDING",
      eligible: false,
      reason: "pending",
      envoy: "UNHEALTHY",
    });
  });

  it("is healthy at once where the check assumes so", () => {
    expect(effective(check({ initialState: "HEALTHY" }))).toMatchObject({ status: "HEALTHY", eligible: true });
  });

  it("stays healthy where the check was added to a service that served", () => {
    const added = { ...check(), checkStartTime: "2026-11-20T12:00:00Z" };
    expect(effective(added)).toMatchObject({ status: "HEALTHY", eligible: true });
    const later = { ...check(), checkStartTime: "1970-01-01T00:00:00Z" };
    expect(effective(later)).toMatchObject({ status: "PENDING", eligible: false });
  });

  it("is unknown, and routable, where nothing checks and nobody reports", () => {
    expect(effective({ kind: "Service", name: "shop" })).toMatchObject({
      status: "UNKNOWN",
      eligible: true,
      envoy: "HEALTHY",
    });
  });

  it("is not made healthy by a report while the check is pending", () => {
    expect(effective(check(), says("reporter:a", "HEALTHY"))).toMatchObject({ status: "PENDING", source: undefined });
  });

  it("is the worst of its sources", () => {
    const verdicts = [says("prober", "HEALTHY"), says("reporter:a", "UNHEALTHY"), says("reporter:b", "DEGRADED")];
    expect(effective(check(), ...verdicts)).toMatchObject({ status: "UNHEALTHY", source: "reporter:a" });
  });

  it("is an operator's override above all, also above a pending check", () => {
    expect(effective(check(), says("override", "HEALTHY"))).toMatchObject({ status: "HEALTHY", source: "override" });
    const verdicts = [says("prober", "UNHEALTHY"), says("override", "HEALTHY")];
    expect(effective(check(), ...verdicts)).toMatchObject({ status: "HEALTHY", eligible: true });
  });

  it("drops the verdict of a check that is gone", () => {
    expect(effective({ kind: "Service", name: "shop" }, says("prober", "UNHEALTHY"))).toMatchObject({
      status: "UNKNOWN",
      eligible: true,
    });
  });

  it("drops a verdict on an earlier backend of the same name", () => {
    expect(effective(check(), { ...says("prober", "HEALTHY"), backendUid: "earlier" })).toMatchObject({
      status: "PENDING",
    });
  });
});
