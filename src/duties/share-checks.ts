import type { StateStore, StoreOp } from "../store/state-store.ts";
import { type Assignment, planAssign } from "./assign.ts";
import { ASSIGNMENTS, assignmentKey, decodeAssignment, encodeAssignment } from "./assignment-record.ts";
import type { Duty } from "./duty.ts";

/**
 * Shares the backends out over the workers that live. All shares change in one commit: from then on a worker cannot write
 * under its old share, and no backend has two workers at any revision.
 */
export function shareChecks(store: Pick<StateStore, "read">, live: () => readonly string[]): Duty {
  return {
    name: "assign",
    operation: "share-checks",
    concerns: [],
    plan: async () => {
      const { entries } = await store.read(ASSIGNMENTS);
      const current: Assignment = entries.flatMap(({ value }) => decodeAssignment(value) ?? [])[0] ?? { workers: [] };
      const plan = planAssign(current, live());
      if (!plan.change) return { batches: [], nextAt: undefined };
      const value = encodeAssignment(plan.assignment);
      const given = plan.assignment.workers.map(
        (worker): StoreOp => ({ op: "put", key: assignmentKey(worker), value }),
      );
      const keys = new Set(given.map(({ key }) => key));
      const revoked = entries.filter(({ key }) => !keys.has(key)).map(({ key }): StoreOp => ({ op: "delete", key }));
      return { batches: [[...given, ...revoked]], nextAt: undefined };
    },
  };
}
