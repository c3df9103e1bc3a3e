/** The result of one check of one backend. */
export type Outcome = "pass" | "degraded" | "fail";

export interface Thresholds {
  readonly unhealthy: number;
  readonly healthy: number;
}

/** What checks alone can say about a backend. */
export type CheckedStatus = "PENDING" | "HEALTHY" | "DEGRADED" | "UNHEALTHY";

/** What the checks of one backend have shown so far. */
export interface Streak {
  readonly status: CheckedStatus;
  /** That of the newest observation. */
  readonly outcome: Outcome | undefined;
  /** Observations with that outcome in a row, the newest included. */
  readonly inRow: number;
  /** Observations in a row that did not fail. */
  readonly goodInRow: number;
}

export function startStreak(status: CheckedStatus): Streak {
  return { status, outcome: undefined, inRow: 0, goodInRow: 0 };
}

/**
 * Counts one observation. The status changes exactly at the observation that reaches its threshold.
 *
 * A pending or unhealthy backend needs `healthy` observations in a row that did not fail, and becomes what the last of them
 * says; a change between healthy and degraded takes as many of the same outcome.
 */
export function countObservation(streak: Streak, outcome: Outcome, thresholds: Thresholds): Streak {
  const inRow = outcome === streak.outcome ? streak.inRow + 1 : 1;
  const goodInRow = outcome === "fail" ? 0 : streak.goodInRow + 1;
  const counted = { ...streak, outcome, inRow, goodInRow };
  if (outcome === "fail") return inRow >= thresholds.unhealthy ? { ...counted, status: "UNHEALTHY" } : counted;
  const good = streak.status === "HEALTHY" || streak.status === "DEGRADED";
  const enough = (good ? inRow : goodInRow) >= thresholds.healthy;
  return enough ? { ...counted, status: outcome === "pass" ? "HEALTHY" : "DEGRADED" } : counted;
}

/** Whether the next observations may change the status: the newest one speaks against it. */
export function isChanging({ status, outcome }: Streak): boolean {
  switch (status) {
    case "PENDING":
      return true;
    case "HEALTHY":
      return outcome === "fail" || outcome === "degraded";
    case "DEGRADED":
      return outcome === "fail" || outcome === "pass";
    case "UNHEALTHY":
      return outcome === "pass" || outcome === "degraded";
  }
}
