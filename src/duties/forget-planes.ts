import type { Mirror } from "../control/mirror.ts";
import type { PlaneRecord } from "../domain/backend-networks.ts";
import { keyToken } from "../store/key-token.ts";
import { RECORDS } from "../store/keys/records.ts";
import type { Duty } from "./duty.ts";

/** A silent replica's record is kept for this long after it was written. */
export const KEPT_MS = 24 * 3_600_000;
/** The most records of silent replicas; if there are more, the oldest go first. */
export const MAX_SILENT = 128;
const LOOK_MS = 60_000;

/** The keys of the records of replicas that are gone for good. @param planes Keyed by the tokens of their names. */
export function planForgetPlanes(
  planes: ReadonlyMap<string, PlaneRecord>,
  live: readonly string[],
  now: number,
): readonly string[] {
  const alive = new Set(live.map(keyToken));
  const silent = [...planes].filter(([name]) => !alive.has(name));
  const newest = silent.toSorted(([nameA, a], [nameB, b]) => b.at - a.at || (nameA < nameB ? -1 : 1));
  return newest
    .filter(([, { at }], i) => i >= MAX_SILENT || at <= now - KEPT_MS)
    .map(([name]) => RECORDS.plane.key(name));
}

/** Where a replica that is gone for good listened, others may listen. */
export function forgetPlanes(mirror: Mirror, live: () => readonly string[]): Duty {
  return {
    name: "planes",
    operation: "-forget-planes",
    concerns: [],
    plan: (now) => {
      const gone = planForgetPlanes(mirror.records("plane"), live(), now);
      const nextAt = now + LOOK_MS;
      // Each by itself: there may be more than one batch takes, and nothing waits for them.
      return { batches: gone.map((key) => [{ op: "delete", key }]), nextAt };
    },
  };
}
