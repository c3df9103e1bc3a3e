import { type Refusal, sizeOf } from "./flight.ts";
import { type FlushContext, mayDivide } from "./flush-context.ts";
import type { Served } from "./resource.ts";
import type { StreamSettings } from "./stream-settings.ts";
import { entitledNames, targetOf } from "./target.ts";
import type { TypeReading } from "./type-state.ts";

/** How long after its `attempt`-th refusal the same content is tried again. */
export function retryDelay({ baseMs, maxMs, spread }: StreamSettings["retry"], attempt: number): number {
  return Math.min(maxMs, baseMs * 2 ** (attempt - 1)) * (1 + spread / 2);
}

/**
 * The names of a type to try again now, or else when to look again. If a response may hold only a part, a refusal of
 * several resources is tried again by halves, so that what is good in it is accepted in the end.
 */
export function dueRetries(context: FlushContext, state: TypeReading): { names: readonly string[]; wakeAt: number } {
  // The answer to what is in flight comes first, and leads here again.
  if (state.flights.length > 0) return { names: [], wakeAt: Infinity };
  const { retry } = context.settings;
  const isDivided = mayDivide(context, state);
  let next: Refusal | undefined;
  let dueAt = Infinity;
  for (const refusal of new Set(state.refused.values())) {
    const isNews = isDivided && refusal.items.size > 1;
    const own = refusal.at + retryDelay(retry, isNews ? 1 : refusal.attempt);
    if (own >= dueAt) continue;
    next = refusal;
    dueAt = own;
  }
  const at = Math.max(dueAt, state.retriedAt + retry.baseMs);
  if (next === undefined || at > context.now) return { names: [], wakeAt: at };
  const members = [...next.items.keys()].filter((name) => state.refused.get(name) === next);
  const count = isDivided ? Math.ceil(sizeOf(next) / 2) : members.length;
  return { names: members.slice(0, count), wakeAt: Infinity };
}

/**
 * Refused responses to try again because a part of them has changed: all of each, since the client may have applied any
 * part (xds R16).
 */
export function changedRefusals(state: TypeReading, served: Served): Set<Refusal> {
  const due = state.due.keys().filter((name) => !state.forced.has(name));
  const refusals = new Set(due.map((name) => state.refused.get(name)).filter((refusal) => refusal !== undefined));
  return new Set(refusals.values().filter((refusal) => hasChanged(refusal, state, served)));
}

function hasChanged({ items }: Refusal, state: TypeReading, served: Served): boolean {
  return items.values().some((item) => !item.kept && targetOf(state, served, item.name)?.hash !== item.resource?.hash);
}

/** Everything that a client should have of a type, and what it refused. */
export function allOf(state: TypeReading, served: Served): ReadonlySet<string> {
  const names = new Set(state.refused.keys());
  for (const name of entitledNames(state, served)) if (served.get(state.type.typeUrl, name)) names.add(name);
  return names;
}
