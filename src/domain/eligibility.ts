import type { Backend } from "./backend.ts";
import { targetText } from "./backend.ts";
import type { Health, HealthStatus } from "./health.ts";

/** The verdict that counts for a backend, of all its sources. */
export interface EffectiveHealth {
  readonly status: HealthStatus;
  /** Nothing when no source has said anything: then a backend is taken as healthy. */
  readonly verdict: Health | undefined;
}

const SEVERITY: Readonly<Record<HealthStatus, number>> = { HEALTHY: 0, DEGRADED: 1, UNHEALTHY: 2 };

/**
 * Combines the sources' verdicts: an operator's override beats all, else the worst counts. Verdicts on an earlier backend
 * of the same name are dropped (law 3). That an override expires is a commit which removes it, so no clock is read here.
 */
export function effectiveHealth(backend: Backend, verdicts: Iterable<Health>): EffectiveHealth {
  let worst: Health | undefined;
  for (const verdict of verdicts) {
    if (verdict.backendUid !== "" && verdict.backendUid !== backend.meta.uid) continue;
    if (verdict.source === "override") return { status: verdict.status, verdict };
    if (worst === undefined || outweighs(verdict, worst)) worst = verdict;
  }
  return { status: worst?.status ?? "HEALTHY", verdict: worst };
}

function outweighs(a: Health, b: Health): boolean {
  const difference = SEVERITY[a.status] - SEVERITY[b.status];
  return difference > 0 || (difference === 0 && a.source < b.source);
}

/** Stable codes of an open set. */
export type EligibilityReason = "active" | "degraded" | "draining" | "unhealthy" | "duplicate-address";

/** Whether new requests may go to a backend, and why. */
export interface Eligibility {
  readonly eligible: boolean;
  readonly reason: EligibilityReason;
  readonly message: string;
}

/**
 * Law 1: no resource offers a backend as routable that is not eligible. What a policy with a panic threshold above 0 lets a
 * proxy do when too few are left is that policy's choice; it does not make a backend eligible.
 *
 * @param winner The older backend of the same service with the same address, where there is one.
 */
export function eligibility(backend: Backend, health: EffectiveHealth, winner: Backend | undefined): Eligibility {
  if (winner !== undefined) {
    const message = `${targetText(backend.target)} belongs to the older backend ${winner.name}`;
    return { eligible: false, reason: "duplicate-address", message };
  }
  if (backend.state === "DRAINING") {
    return {
      eligible: false,
      reason: "draining",
      message: "draining: it may finish what it has, new requests go elsewhere",
    };
  }
  if (health.status === "UNHEALTHY")
    return { eligible: false, reason: "unhealthy", message: told("unhealthy", health) };
  if (health.status === "DEGRADED") return { eligible: true, reason: "degraded", message: told("degraded", health) };
  return { eligible: true, reason: "active", message: "active and healthy" };
}

function told(word: string, { verdict }: EffectiveHealth): string {
  if (verdict === undefined) return word;
  return `${word} by ${verdict.source}${verdict.reason === "" ? "" : `: ${verdict.reason}`}`;
}
