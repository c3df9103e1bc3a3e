import { type Refusal, sizeOf } from "./flight.ts";
import type { View } from "./resource.ts";
import { entitledNames } from "./target.ts";
import type { TypeState } from "./type-state.ts";

/** When a refused response is tried again though nothing of it has changed: what it ran into may have gone. */
export type RetrySettings = {
  /** Before the first time, and at least between any two of one type. */
  readonly baseMs: number;
  /** Each wait is twice the one before it, up to this. */
  readonly maxMs: number;
  /** From 0 to 1, another one for each stream: longer waits by up to half, so that a fleet does not come at once. */
  readonly spread: number;
};

/** How long after the `attempt`-th refusal of the same content it is tried again. */
export function retryDelay({ baseMs, maxMs, spread }: RetrySettings, attempt: number): number {
  return Math.min(maxMs, baseMs * 2 ** (attempt - 1)) * (1 + spread / 2);
}

/**
 * Forces what of a type is to be tried again now, and tells when to look again. Of a refusal of several resources one
 * half goes at a time, where a response may hold just a part: what is good in it is accepted in the end.
 */
export function forceRetries(state: TypeState, now: number, retry: RetrySettings, mayDivide: boolean): number {
  // Its verdict comes first, and looks again.
  if (state.flights.length > 0) return Infinity;
  let next: Refusal | undefined;
  let dueAt = Infinity;
  for (const refusal of new Set(state.refused.values())) {
    const isNews = mayDivide && refusal.items.size > 1;
    const own = refusal.at + retryDelay(retry, isNews ? 1 : refusal.attempt);
    if (own >= dueAt) continue;
    next = refusal;
    dueAt = own;
  }
  const at = Math.max(dueAt, state.retriedAt + retry.baseMs);
  if (next === undefined || at > now) return at;
  const members = [...next.items.keys()].filter((name) => state.refused.get(name) === next);
  const count = mayDivide ? Math.ceil(sizeOf(next) / 2) : members.length;
  for (const name of members.slice(0, count)) state.force(name, Infinity);
  state.retriedAt = now;
  return Infinity;
}

/** Forces all that a client should have of a type, and what it refused. Returns how many that is. */
export function forceAll(state: TypeState, view: View): number {
  const names = new Set(state.refused.keys());
  for (const name of entitledNames(state, view)) if (view.get(state.type.typeUrl, name)) names.add(name);
  for (const name of names) state.force(name, Infinity);
  return names.size;
}
