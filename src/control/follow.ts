import { ControlPlaneError } from "../domain/errors.ts";
import type { Logger } from "../runtime/logger.ts";
import { nextTurn } from "../runtime/next-turn.ts";
import type { StateStore, WatchEvent } from "../store/state-store.ts";

export interface Following {
  /** Rejects when the log cannot be followed any more; never resolves. */
  readonly failed: Promise<never>;
  /** Reads and folds the whole state again, whatever was folded so far; nothing new while it is being read anyway. */
  readonly readAnew: () => void;
}

/**
 * Folds the store's log for as long as the plane runs, in the order of `folds` at each event. When another epoch has begun,
 * or the store holds something else altogether, the whole state is read and folded anew.
 */
export function follow(
  store: Pick<StateStore, "watch">,
  folds: readonly { fold(event: WatchEvent): void }[],
  { signal, log }: { readonly signal: AbortSignal; readonly log: Logger },
): Following {
  let isRead = false;
  let watching = new AbortController();
  const run = async (): Promise<never> => {
    while (!signal.aborted) {
      isRead = false;
      watching = new AbortController();
      try {
        for await (const event of store.watch({ signal: AbortSignal.any([signal, watching.signal]) })) {
          for (const each of folds) each.fold(event);
          if (event.kind !== "state") continue;
          isRead = event.synced;
          // A large state comes in many parts, none of which has to wait for anything.
          await new Promise<void>((resolve) => nextTurn(resolve));
        }
      } catch (error) {
        if (!(error instanceof ControlPlaneError) || error.code !== "COMPACTED") throw error;
        log.warn({}, "the state is read anew: another epoch has begun");
      }
    }
    return new Promise<never>(() => undefined);
  };
  return {
    failed: run(),
    readAnew: () => {
      // Half of a state must not be mixed with another.
      if (isRead) watching.abort();
    },
  };
}
