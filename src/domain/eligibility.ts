import { type Backend, targetText } from "./backend.ts";
import type { Health, HealthStatus } from "./health.ts";
import { type HealthCheck, initialStatus } from "./health-check.ts";

/** `PENDING`: checked but not proven yet. `UNKNOWN`: no source says anything, so it is taken as healthy. */
export type EffectiveStatus = HealthStatus | "PENDING" | "UNKNOWN";

/** The verdict that counts for a backend, among those of all its sources. */
export interface EffectiveHealth {
  readonly status: EffectiveStatus;
  /** Undefined when no source has said anything, or nothing that outweighs a pending check. */
  readonly verdict: Health | undefined;
}

const SEVERITY: Readonly<Record<EffectiveStatus, number>> = {
  UNKNOWN: 0,
  HEALTHY: 1,
  DEGRADED: 2,
  PENDING: 3,
  UNHEALTHY: 4,
};

/**
 * Combines the sources' verdicts: an operator's override beats all, else the worst counts. Verdicts on an earlier backend
 * of the same name are dropped (law 3), and so are those of checks that the service no longer has. An override expires by a
 * commit that removes it, so no clock is read here.
 *
 * @param check How the backend's service is checked, if at all.
 */
export function effectiveHealth(
  backend: Backend,
  verdicts: Iterable<Health>,
  check: HealthCheck | undefined,
): EffectiveHealth {
  let worst: Health | undefined;
  let checked = check === undefined;
  for (const verdict of verdicts) {
    if (!countsFor(verdict, backend, check)) continue;
    if (verdict.source === "override") return { status: verdict.status, verdict };
    if (verdict.source === "prober") checked = true;
    if (worst === undefined || outweighs(verdict, worst)) worst = verdict;
  }
  const assumed = checked ? "UNKNOWN" : assumedStatus(backend, check);
  if (worst === undefined || SEVERITY[assumed] > SEVERITY[worst.status]) return { status: assumed, verdict: undefined };
  return { status: worst.status, verdict: worst };
}

function assumedStatus({ meta }: Backend, check: HealthCheck | undefined): EffectiveStatus {
  return check === undefined ? "UNKNOWN" : initialStatus(check, meta.createdAt);
}

/** Whether a verdict is on this very backend, from a source that counts. */
export function countsFor(
  { source, backendUid }: Pick<Health, "source" | "backendUid">,
  backend: Backend,
  check: HealthCheck | undefined,
): boolean {
  if (backendUid !== "" && backendUid !== backend.meta.uid) return false;
  return source !== "prober" || check !== undefined;
}

function outweighs(a: Health, b: Health): boolean {
  const difference = SEVERITY[a.status] - SEVERITY[b.status];
  return difference > 0 || (difference === 0 && a.source < b.source);
}

/** Stable codes from an open set; a backend is eligible for the first two. */
export const ELIGIBILITY_REASONS = [
  "active",
  "degraded",
  "draining",
  "pending",
  "unhealthy",
  "duplicate-address",
] as const;
export type EligibilityReason = (typeof ELIGIBILITY_REASONS)[number];

/** Whether new requests may go to a backend, and why. */
export interface Eligibility {
  readonly eligible: boolean;
  readonly reason: EligibilityReason;
  readonly message: string;
}

/**
 * Law 1: no resource offers an ineligible backend as routable. What a policy with a panic threshold above 0 lets a proxy do
 * when too few are left is that policy's choice; it does not make a backend eligible.
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
      message: "draining: it may finish what it has; new requests go elsewhere",
    };
  }
  switch (health.status) {
    case "UNHEALTHY":
      return { eligible: false, reason: "unhealthy", message: told("unhealthy", health) };
    case "PENDING":
      return { eligible: false, reason: "pending", message: "pending: its checks have not proven it healthy yet" };
    case "DEGRADED":
      return { eligible: true, reason: "degraded", message: told("degraded", health) };
    case "UNKNOWN":
      return { eligible: true, reason: "active", message: "active; nothing checks it" };
    case "HEALTHY":
      return { eligible: true, reason: "active", message: "active and healthy" };
  }
}

function told(word: string, { verdict }: EffectiveHealth): string {
  if (verdict === undefined) return word;
  return `${word} by ${verdict.source}${verdict.reason === "" ? "" : `: ${verdict.reason}`}`;
}
