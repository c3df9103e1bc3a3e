import type { Refusal, TypeState } from "./type-state.ts";

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

/** What is the same in a refusal as in the ones before it of the same content. */
export type Repeated = Pick<Refusal, "attempt" | "since" | "items">;

/**
 * Relates a refusal to those that stand of its members. What was refused before keeps its publication, since it is not
 * news; what was refused as a part of more counts as refused for the first time.
 */
export function repeatedFrom(standing: TypeState["refused"], { items }: Pick<Refusal, "items">, at: number): Repeated {
  const before = new Map<string, Refusal>();
  for (const { name, resource, kept } of items.values()) {
    const earlier = standing.get(name);
    if (!kept && earlier?.items.get(name)?.resource?.hash === resource?.hash && earlier) before.set(name, earlier);
  }
  if (before.size === 0) return { attempt: 1, since: at, items };
  const all = [...before.values()];
  const isSame = before.size === sizeOf({ items });
  return {
    attempt:
      isSame && all.every((refusal) => sizeOf(refusal) <= before.size) ? Math.max(...all.map((r) => r.attempt)) + 1 : 1,
    since: isSame ? Math.min(...all.map(({ since }) => since)) : at,
    items: new Map(
      Array.from(items, ([name, item]) => {
        const earlier = before.get(name)?.items.get(name);
        return [name, earlier ? { ...item, publication: earlier.publication } : item];
      }),
    ),
  };
}

/** Without what only went along. */
function sizeOf({ items }: Pick<Refusal, "items">): number {
  let size = 0;
  for (const { kept } of items.values()) if (!kept) size++;
  return size;
}
