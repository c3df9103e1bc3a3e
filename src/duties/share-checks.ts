import { keyToken } from "../store/key-token.ts";
import { ASSIGNMENT, type Assignment } from "../store/keys/assignment-record.ts";
import { readForm } from "../store/keys/record-form.ts";
import type { StateStore, StoreOp } from "../store/state-store.ts";
import { planAssign } from "./assign.ts";
import type { Duty } from "./duty.ts";

/** How often the duty asks which replicas are live. A replica is silent for 2 s before it counts as gone. */
const LOOK_MS = 500;

/**
 * Shares the backends out among the live workers. All shares change in one commit: from then on a worker cannot write
 * under its old share, and no backend has two workers at any revision.
 */
export function shareChecks(store: Pick<StateStore, "read">, live: () => readonly string[]): Duty {
  /** The workers for which the shares were found to be in order. */
  let settled = "";
  return {
    name: "assign",
    operation: "share-checks",
    concerns: [],
    plan: async (now) => {
      const nextAt = now + LOOK_MS;
      const workers = live();
      const wanted = JSON.stringify(workers);
      if (wanted === settled) return { batches: [], nextAt };
      const { entries } = await store.read(ASSIGNMENT.keys);
      const current: Assignment = entries.flatMap(({ value }) => readForm(ASSIGNMENT, value) ?? [])[0] ?? {
        workers: [],
        round: 0,
      };
      const next = planAssign(current, workers);
      if (next === undefined) {
        settled = wanted;
        return { batches: [], nextAt };
      }
      // A worker that is back before the next look needs its share again.
      settled = "";
      const value = ASSIGNMENT.encode(next);
      const given = next.workers.map(
        (worker): StoreOp => ({ op: "put", key: ASSIGNMENT.key(keyToken(worker)), value }),
      );
      const keys = new Set(given.map(({ key }) => key));
      // With the revision that it was found at, even what somebody else put under a key that no store accepts can be deleted.
      const others = entries.filter(({ key }) => !keys.has(key));
      const revoked = others.map(({ key, revision }): StoreOp => ({ op: "delete", key, guard: revision }));
      return { batches: [[...given, ...revoked]], nextAt };
    },
  };
}
