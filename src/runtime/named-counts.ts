/** The most names that one metric has series for. */
export const MAX_NAMES = 1_000;
/** Stands for all others; no object can have this name. */
export const OTHERS = "_others";

/** Counts by name as a metric may show them: the first names in their order, and all others added up in one. */
export function boundedByName(
  counts: ReadonlyMap<string, Readonly<Record<string, number>>>,
): ReadonlyMap<string, Readonly<Record<string, number>>> {
  if (counts.size <= MAX_NAMES) return counts;
  const sorted = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  const others: Record<string, number> = {};
  for (const [, ofName] of sorted.slice(MAX_NAMES)) {
    for (const [state, count] of Object.entries(ofName)) others[state] = (others[state] ?? 0) + count;
  }
  return new Map([...sorted.slice(0, MAX_NAMES), [OTHERS, others]]);
}
