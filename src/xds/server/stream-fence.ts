import { isSame } from "../protocol/resource.ts";
import { mayHoldUnder } from "../protocol/running.ts";
import type { TypeReading } from "../protocol/type-state.ts";
import type { CachedResource } from "./cached-resource.ts";

/**
 * Nothing is answered before everything that any replica ever served has surely arrived here (design: the fence). While a
 * failed fence is tried again, it still counts as failed: what is held stays held, and is seen to be held.
 */
export class StreamFence {
  readonly #host: { fence(signal: AbortSignal): Promise<void> };
  readonly #onEnd: () => void;
  #state: StreamFence["state"] = "none";
  #abort: AbortController | undefined;

  /** @param onEnd called each time that the fence has been passed or has failed */
  constructor(host: { fence(signal: AbortSignal): Promise<void> }, onEnd: () => void) {
    this.#host = host;
    this.#onEnd = onEnd;
  }

  get state(): "none" | "pending" | "passed" | "failed" {
    return this.#state;
  }

  /** Awaits the fence once; awaits it another time only after it has failed, and with `again`. */
  pass({ again }: { again: boolean }): void {
    if (this.#abort || this.#state !== (again ? "failed" : "none")) return;
    if (!again) this.#state = "pending";
    const abort = new AbortController();
    this.#abort = abort;
    this.#host.fence(abort.signal).then(
      () => this.#ended(abort, "passed"),
      () => this.#ended(abort, "failed"),
    );
  }

  stop(): void {
    this.#abort?.abort();
  }

  #ended({ signal }: AbortController, state: "passed" | "failed"): void {
    if (signal.aborted) return;
    this.#abort = undefined;
    this.#state = state;
    this.#onEnd();
  }
}

/** Whether this could take back a client that is served without a fence: the client may hold something newer. */
export function mayTakeBack(state: TypeReading | undefined, resource: { name: string }, version: string): boolean {
  const known = state?.sent.get(resource.name);
  const equal = known !== undefined && version !== "" && isSame(known, resource as CachedResource);
  return state !== undefined && mayHoldUnder(state, resource.name) && !equal;
}
