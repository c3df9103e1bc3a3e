import type { Clock } from "../../runtime/clock.ts";

/** Turns many small signals into few looks: the first one counts at once, the others only after a rest. */
export class Pulse {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #beaten = false;
  #wake: (() => void) | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;

  /** @param signal ends `next` with its reason. */
  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock;
    this.#signal = signal;
  }

  beat(): void {
    this.#beaten = true;
    this.#wake?.();
  }

  /** Resolves after a beat, `notBeforeMs` after the last time at the earliest; without one, after `atMostMs`. */
  async next({ notBeforeMs, atMostMs }: { notBeforeMs: number; atMostMs: number }): Promise<void> {
    const until = this.#clock.monotonic() + Math.max(atMostMs, 0);
    const rest = Math.min(this.#lookedAt + notBeforeMs, until) - this.#clock.monotonic();
    if (rest > 0) await this.#clock.sleep(rest, this.#signal);
    if (!this.#beaten) await this.#beatBefore(until);
    this.#signal.throwIfAborted();
    this.#beaten = false;
    this.#lookedAt = this.#clock.monotonic();
  }

  async #beatBefore(until: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const cancel = this.#clock.after(Math.max(until - this.#clock.monotonic(), 0), resolve);
    this.#signal.addEventListener("abort", () => resolve(), { once: true });
    await promise;
    cancel();
    this.#wake = undefined;
  }
}
