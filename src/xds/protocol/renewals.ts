import type { Resource } from "./resource.ts";
import type { TypeReading } from "./type-state.ts";

/** What must be renewed now, and names that have nothing left to renew. */
type Renewals = { readonly due: readonly Resource[]; readonly over: readonly string[] };

const NONE: Renewals = { due: [], over: [] };

/** No renewal is due while a response awaits its verdict, since what the client has is open then. */
export function dueRenewals(state: TypeReading, now: number): Renewals {
  if (state.flights.length > 0) return NONE;
  const due: Resource[] = [];
  const over: string[] = [];
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
