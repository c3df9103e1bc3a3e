import type { Clock } from "../runtime/clock.ts";
import { unlessAborted } from "../runtime/unless-aborted.ts";
import type { StateStore } from "../store/state-store.ts";
import type { Mirror } from "./mirror.ts";

/** A stream waits at most this long; then it is served only what it holds nothing of, and the rest is held. */
const PATIENCE_MS = 3_000;
const RETRY_MS = 1_000;

export interface FenceOptions {
  readonly store: Pick<StateStore, "barrier">;
  readonly mirror: Mirror;
  readonly clock: Clock;
  /** Called when those that could not pass should try again. */
  readonly onRetry: () => void;
}

/**
 * The fence against going back: once it is passed, this replica has folded everything that any replica had served when
 * `pass` was called (law 6). What a proxy presents does not prove what it has seen; the log does.
 */
export class Fence {
  readonly #options: FenceOptions;
  #isRetryDue = false;

  constructor(options: FenceOptions) {
    this.#options = options;
  }

  /**
   * Rejects when the store does not answer, or not in time; then `onRetry` is called a little later. Rejects with the
   * signal's reason when it is aborted. A thousand simultaneous callers cost one write.
   */
  async pass(signal: AbortSignal): Promise<void> {
    const { store, mirror, clock } = this.#options;
    const enough = new AbortController();
    const either = AbortSignal.any([signal, enough.signal]);
    const cancel = clock.after(PATIENCE_MS, () => enough.abort(new Error("the store does not answer")));
    try {
      await mirror.reach(await unlessAborted(store.barrier(), either), either);
    } catch (error) {
      if (!signal.aborted) this.#retryLater();
      throw error;
    } finally {
      cancel();
    }
  }

  #retryLater(): void {
    if (this.#isRetryDue) return;
    this.#isRetryDue = true;
    this.#options.clock.after(RETRY_MS, () => {
      this.#isRetryDue = false;
      this.#options.onRetry();
    });
  }
}
