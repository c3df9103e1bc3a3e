import type { TypeReading } from "./type-state.ts";

/** Whether nothing is due, and nothing will become due merely because time passes. */
export function isQuiet({ due, mustAnswer, renewals, refused }: TypeReading): boolean {
  return due.size === 0 && !mustAnswer && renewals.size === 0 && refused.size === 0;
}

/**
 * The oldest publication with anything due, held or in flight; Infinity when all is settled. Leaves out what was refused,
 * and what waits for a refusal to end: no acknowledgement of it will come.
 */
export function oldestPending({ due, waits, held, flights }: TypeReading): number {
  let oldest = Infinity;
  if (due.size > 0) {
    for (const [name, publication] of due) {
      if (waits.get(name)?.cause !== "refused") oldest = Math.min(oldest, publication);
    }
  }
  if (held.size > 0) for (const { publication } of held.values()) oldest = Math.min(oldest, publication);
  for (const { items } of flights) {
    for (const { publication } of items.values()) oldest = Math.min(oldest, publication ?? Infinity);
  }
  return oldest;
}
