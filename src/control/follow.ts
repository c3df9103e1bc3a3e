import { ControlPlaneError } from "../domain/errors.ts";
import type { Logger } from "../runtime/logger.ts";
import { nextTurn } from "../runtime/next-turn.ts";
import type { StateStore, WatchEvent } from "../store/state-store.ts";

/**
 * Folds the store's log for as long as the plane runs, in the order of `folds` at each event. When another epoch has begun,
 * or the store holds something else altogether, the whole state is read and folded anew.
 */
export async function follow(
  store: Pick<StateStore, "watch">,
  folds: readonly { fold(event: WatchEvent): void }[],
  { signal, log }: { readonly signal: AbortSignal; readonly log: Logger },
): Promise<never> {
  while (!signal.aborted) {
    try {
      for await (const event of store.watch({ signal })) {
        for (const each of folds) each.fold(event);
        // A large state comes in many parts, none of which has to wait for anything.
        if (event.kind === "state") await new Promise<void>((resolve) => nextTurn(resolve));
      }
    } catch (error) {
      if (!(error instanceof ControlPlaneError) || error.code !== "COMPACTED") throw error;
      log.warn({}, "the state is read anew: another epoch has begun");
    }
  }
  return new Promise<never>(() => undefined);
}
