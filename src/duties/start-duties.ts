import type { Mirror } from "../control/mirror.ts";
import { storeKey } from "../domain/name.ts";
import { planRemoval } from "../operations/plan-removal.ts";
import type { StoreOp } from "../store/state-store.ts";
import { planDrain } from "./drain.ts";
import { type Duty, type DutyContext, startDuty } from "./duty.ts";
import { planExpire } from "./expire.ts";
import { shareChecks } from "./share-checks.ts";

/** Removals that one commit holds at most, well below what a batch may cost. */
const MAX_REMOVALS = 200;

export interface DutiesOptions extends DutyContext {
  /** The workers that live at this moment. */
  readonly workers: () => readonly string[];
}

export interface RunningDuties {
  /** The workers that live may have changed. */
  workersChanged(): void;
  stop(): Promise<void>;
}

/** Starts what one process does for all of them: remove drained backends and expired verdicts, share the checks out. */
export function startDuties({ workers, ...context }: DutiesOptions): RunningDuties {
  const assign = startDuty(context, shareChecks(context.store, workers));
  const all = [
    assign,
    startDuty(context, removeDrained(context.mirror)),
    startDuty(context, removeExpired(context.mirror)),
  ];
  return {
    workersChanged: () => assign.wake(),
    stop: async () => {
      await Promise.all(all.map((duty) => duty.stop()));
    },
  };
}

function removeDrained(mirror: Mirror): Duty {
  return {
    name: "drain",
    operation: "remove-drained-backend",
    concerns: ["backend", "service"],
    plan: (now) => {
      const { due, nextAt } = planDrain(mirror, now);
      // One commit each: an undo that comes in between saves its own backend, and holds up no other.
      return { batches: due.map(({ name }) => planRemoval(mirror, "backend", name)), nextAt };
    },
  };
}

function removeExpired(mirror: Mirror): Duty {
  return {
    name: "expire",
    operation: "remove-expired-verdict",
    concerns: ["health", "backend", "service"],
    plan: (now) => {
      const { due, nextAt } = planExpire(mirror, now);
      const ops = due.flatMap(({ name }): StoreOp[] => {
        const stored = mirror.stored("health", name);
        return stored === undefined ? [] : [{ op: "delete", key: storeKey("health", name), guard: stored.revision }];
      });
      return { batches: chunks(ops), nextAt };
    },
  };
}

function chunks(ops: readonly StoreOp[]): StoreOp[][] {
  return Array.from({ length: Math.ceil(ops.length / MAX_REMOVALS) }, (_, i) =>
    ops.slice(i * MAX_REMOVALS, (i + 1) * MAX_REMOVALS),
  );
}
