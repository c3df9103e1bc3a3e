import { countsFor } from "../domain/eligibility.ts";
import type { Health } from "../domain/health.ts";
import { serviceOf } from "../domain/name.ts";
import type { State } from "../domain/state.ts";
import { Beginnings } from "./beginnings.ts";

export interface ExpirePlan {
  /** Verdicts that no longer count, to be removed. */
  readonly due: readonly Health[];
  /** When the next verdict expires, by the store's clock. */
  readonly nextAt: number | undefined;
}

/**
 * What the expire duty has to remove: overrides and reports whose time has passed, verdicts on a backend that was removed or
 * registered anew, and those of checks that the service no longer has.
 */
export function planExpire(state: State, now: number, beginnings = new Beginnings()): ExpirePlan {
  const due: Health[] = [];
  let nextAt: number | undefined;
  for (const health of state.all("health")) {
    const expiresAt = expiryOf(health, now, beginnings);
    if (isOrphan(state, health) || (expiresAt !== undefined && expiresAt <= now)) due.push(health);
    else if (expiresAt !== undefined) nextAt = Math.min(expiresAt, nextAt ?? expiresAt);
  }
  return { due, nextAt };
}

/** When it expires: it counts for as long as it was meant to when it was given. */
function expiryOf({ name, meta, expiresAt }: Health, now: number, beginnings: Beginnings): number | undefined {
  if (expiresAt === undefined || expiresAt <= now) return expiresAt;
  const lifeMs = Math.max(0, expiresAt - meta.updatedAt);
  return beginnings.of(name, meta.updatedAt, now) + lifeMs;
}

function isOrphan(state: State, health: Health): boolean {
  const observed = state.get("backend", health.backend);
  if (observed === undefined) return true;
  return !countsFor(health, observed, state.get("service", serviceOf(observed.name))?.healthCheck);
}
