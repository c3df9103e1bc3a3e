import type { Resource } from "./resource.ts";
import type { TypeReading } from "./type-state.ts";

/**
 * What must be renewed now, and names that have nothing left to renew. Neither while a response awaits its answer, since
 * what the client has is open then.
 */
export function dueRenewals(state: TypeReading, now: number): { due: Resource[]; over: string[] } {
  const due: Resource[] = [];
  const over: string[] = [];
  if (state.flights.length > 0) return { due, over };
  for (const [name, at] of state.renewals) {
    const known = state.sent.get(name);
    if (known?.hash === undefined) over.push(name);
    else if (at <= now && !state.due.has(name) && !state.unknown.has(name)) due.push(known);
  }
  return { due, over };
}

export function nextRenewal(state: TypeReading): number {
  return state.flights.length > 0 ? Infinity : Math.min(...state.renewals.values());
}
