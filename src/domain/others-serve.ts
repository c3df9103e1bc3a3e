import { isHeld } from "./damping.ts";
import type { Name } from "./name.ts";
import { routingState } from "./routing-state.ts";
import type { State } from "./state.ts";

/**
 * Whether a service has a backend in rotation that is not held for flapping. One that is held but serves all the same,
 * since no other did, does not count: otherwise the first of many to come back would be left alone with all the traffic.
 *
 * @param now Milliseconds since the epoch by the store's clock.
 */
export function othersServe(state: State, service: Name, now: number): boolean {
  const { backends, policy } = routingState(state, service);
  const { damping } = policy;
  return backends.some(({ eligibility, health: { verdict } }) => {
    if (!eligibility.eligible) return false;
    return damping === undefined || verdict?.source !== "prober" || !isHeld(verdict.damping, now, damping);
  });
}
