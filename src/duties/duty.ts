import type { Mirror } from "../control/mirror.ts";
import { toControlPlaneError } from "../domain/errors.ts";
import type { Kind, ObjectId } from "../domain/name.ts";
import type { InstrumentedMachine } from "../runtime/machine.ts";
import type { BatchGuard, StateStore, StoreOp } from "../store/state-store.ts";

export interface DutyContext extends Pick<InstrumentedMachine, "clock" | "log" | "containment"> {
  readonly mirror: Mirror;
  readonly store: StateStore;
  /** By this every commit proves that this process still has the duties. */
  readonly fencingToken: BatchGuard;
}

export interface DutyStep {
  /** Each batch holds what belongs together. */
  readonly batches: readonly (readonly StoreOp[])[];
  /** When there is something to do again even if nothing changes, by the store's clock. */
  readonly nextAt: number | undefined;
}

export interface Duty {
  /** `drain`: its name as the actor of its commits and in the log. */
  readonly name: string;
  /** What its commits do. */
  readonly operation: string;
  /** Changes of these kinds make it look again. */
  readonly concerns: readonly Kind[];
  /** Called with these changes before it looks. */
  readonly observe?: (changed: readonly ObjectId[]) => void;
  readonly plan: (now: number) => DutyStep | Promise<DutyStep>;
}

/** Changes are looked at together, so that a storm of commits costs few looks. */
const REST_MS = 50;
const RETRY_MS = 1000;
const MAX_PAUSE_MS = 60_000;

/**
 * Carries out a duty: plans what is due now, after each change that concerns it and when the plan says so. A commit that
 * lost a race is planned anew from the state that won.
 */
export function startDuty(context: DutyContext, { name, operation, concerns, observe, plan }: Duty) {
  const { mirror, store, clock, log, fencingToken, containment } = context;
  const stop = new AbortController();
  let looking: Promise<void> | undefined;
  let again = false;
  let cancel: () => void = () => undefined;

  const lookIn = (ms: number) => {
    cancel();
    if (!stop.signal.aborted) cancel = clock.after(Math.min(ms, MAX_PAUSE_MS), look);
  };
  const look = () => {
    looking = act().finally(() => {
      looking = undefined;
      if (!again) return;
      again = false;
      lookIn(REST_MS);
    });
  };
  const act = async () => {
    try {
      const { batches, nextAt } = await plan(store.now());
      let isLeft = false;
      for (const ops of batches) {
        try {
          await commit(ops);
        } catch (thrown) {
          if (stop.signal.aborted || !isOwnFault(thrown)) throw thrown;
          // It harms only itself: the other batches go on, and this one is tried again.
          containment.note("duty", `${name} of ${ops[0]?.key}`, thrown);
          isLeft = true;
        }
      }
      if (isLeft) lookIn(RETRY_MS);
      else if (nextAt !== undefined) lookIn(Math.max(nextAt - store.now(), REST_MS));
    } catch (thrown) {
      const error = toControlPlaneError(thrown);
      const race = error.code === "VERSION_MISMATCH";
      if (error.kind === "bug" && !stop.signal.aborted) containment.note("duty", name, thrown);
      else if (!race && !stop.signal.aborted) log.warn({ err: error, duty: name }, "a duty failed; trying again");
      lookIn(race ? REST_MS : RETRY_MS);
    }
  };
  const commit = async (ops: readonly StoreOp[]) => {
    const cause = { actor: `duty:${name}`, operation, reason: "", requestId: "" };
    const { revision } = await store.commit({ ops, cause, guard: fencingToken });
    // The next plan builds on what this one has done.
    await mirror.reach(revision, stop.signal);
  };
  const wake = () => {
    if (looking === undefined) lookIn(REST_MS);
    else again = true;
  };
  const stopFolds = mirror.onFold(({ changed }) => {
    const concerning = changed.filter(({ kind }) => concerns.includes(kind));
    if (concerning.length === 0) return;
    containment.contain("duty", name, () => observe?.(concerning));
    wake();
  });
  lookIn(0);
  return {
    stop: async () => {
      stopFolds();
      stop.abort(new Error("the duty stops"));
      cancel();
      await looking;
    },
  };
}

/** Whether it is this batch that cannot be committed, rather than any: not a race, the end of the tenure, or a store that is away. */
function isOwnFault(thrown: unknown): boolean {
  const { kind, code } = toControlPlaneError(thrown);
  return !["unavailable", "timeout", "cancelled"].includes(kind) && !["VERSION_MISMATCH", "FENCED"].includes(code);
}
