import { ControlPlaneError } from "../domain/errors.ts";
import type { Logger } from "../runtime/logger.ts";
import { nextTurn } from "../runtime/next-turn.ts";
import type { StateStore, WatchEvent } from "../store/state-store.ts";

export interface Following {
  /** Rejects when the log can no longer be followed; never resolves. */
  readonly failed: Promise<never>;
  /** Reads and folds the whole state again, whatever was folded so far; does nothing while it is being read anyway. */
  readonly readAnew: () => void;
}

/**
 * Folds the store's log for as long as the plane runs, passing each event to `folds` in turn. When another epoch has begun,
 * or the store holds something else altogether, the whole state is read and folded again.
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
        log.warn({}, "the state is read again: another epoch has begun");
      }
    }
    return new Promise<never>(() => undefined);
  };
  return {
    failed: run(),
    readAnew: () => {
      // Half of one state must not be mixed with another.
      if (isRead) watching.abort();
    },
  };
}
