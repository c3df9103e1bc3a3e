import type { Mirror } from "../control/mirror.ts";
import { type PlaneRecord, planeKey } from "../control/plane-record.ts";
import type { Duty } from "./duty.ts";

/** A replica that is silent keeps its record for so long after it was written. */
export const KEPT_MS = 24 * 3_600_000;
/** Most records of silent replicas; of more the oldest go first. */
export const MAX_SILENT = 128;
const LOOK_MS = 60_000;

/** The records of replicas that are gone for good, by key. */
export function planForgetPlanes(
  planes: ReadonlyMap<string, PlaneRecord>,
  live: readonly string[],
  now: number,
): readonly string[] {
  const alive = new Set(live.map(planeKey));
  const silent = [...planes].filter(([key]) => !alive.has(key));
  const newest = silent.toSorted(([keyA, a], [keyB, b]) => b.at - a.at || (keyA < keyB ? -1 : 1));
  return newest.filter(([, { at }], i) => i >= MAX_SILENT || at <= now - KEPT_MS).map(([key]) => key);
}

/** Where a replica listened that is gone for good, others may. */
export function forgetPlanes(mirror: Mirror, live: () => readonly string[]): Duty {
  return {
    name: "planes",
    operation: "-forget-planes",
    concerns: [],
    plan: (now) => {
      const gone = planForgetPlanes(mirror.planes, live(), now);
      const nextAt = now + LOOK_MS;
      // Each by itself: there may be more than one batch takes, and nothing waits for it.
      return { batches: gone.map((key) => [{ op: "delete", key }]), nextAt };
    },
  };
}
