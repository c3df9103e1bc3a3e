/** What is due, and when the next of the others will be, by the store's clock. */
export interface Due<T> {
  readonly due: readonly T[];
  /** Undefined while nothing else is to end. */
  readonly nextAt: number | undefined;
}

/** @param endOf When each ends; undefined for what does not end by itself. */
export function dueOf<T>(all: Iterable<T>, endOf: (one: T) => number | undefined, now: number): Due<T> {
  const due: T[] = [];
  let nextAt: number | undefined;
  for (const one of all) {
    const endsAt = endOf(one);
    if (endsAt === undefined) continue;
    if (endsAt <= now) due.push(one);
    else nextAt = Math.min(endsAt, nextAt ?? endsAt);
  }
  return { due, nextAt };
}
