import type { Resource } from "./resource.ts";
import type { TypeState } from "./type-state.ts";

/** A TTL is renewed when a third of it has passed, so that two renewals may be late before anything expires. */
const RENEWALS_PER_TTL = 3;

/** Notes when what was just sent must be renewed, at the latest. */
export function scheduleRenewals(state: TypeState, resources: readonly Resource[], now: number): void {
  for (const { name, ttlMs } of resources) {
    if (ttlMs === undefined) state.renewals.delete(name);
    else state.renewals.set(name, now + ttlMs / RENEWALS_PER_TTL);
  }
}

/** Takes what is to be renewed now; nothing while a response awaits its verdict, since what the client has is open then. */
export function dueRenewals(state: TypeState, now: number): Resource[] {
  if (state.flights.length > 0) return [];
  const due: Resource[] = [];
  for (const [name, at] of state.renewals) {
    const known = state.sent.get(name);
    if (known?.hash === undefined) state.renewals.delete(name);
    else if (at <= now && !state.due.has(name) && !state.unknown.has(name)) due.push(known);
  }
  scheduleRenewals(state, due, now);
  return due;
}

export function nextRenewal(state: TypeState): number {
  return state.flights.length > 0 ? Infinity : Math.min(...state.renewals.values());
}
