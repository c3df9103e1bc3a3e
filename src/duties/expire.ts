import { countsFor } from "../domain/eligibility.ts";
import type { Health } from "../domain/health.ts";
import { serviceOf } from "../domain/name.ts";
import type { State } from "../domain/state.ts";
import { Beginnings } from "./beginnings.ts";
import { type Due, dueOf } from "./due.ts";

/**
 * The verdicts to remove: overrides and reports whose time has passed, verdicts on a backend that was removed or registered
 * anew, and those of checks that the service no longer has.
 */
export function planExpire(state: State, now: number, beginnings = new Beginnings()): Due<Health> {
  const endOf = (health: Health) => (isOrphan(state, health) ? now : expiryOf(health, now, beginnings));
  return dueOf(state.all("health"), endOf, now);
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
