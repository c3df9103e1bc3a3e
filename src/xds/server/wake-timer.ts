import type { Clock } from "../../runtime/clock.ts";

/** One timer that can be set again: the last instant given counts. */
export class WakeTimer {
  readonly #clock: Clock;
  readonly #wake: () => void;
  #cancel: (() => void) | undefined;
  #wokenFor = Infinity;

  constructor(clock: Clock, wake: () => void) {
    this.#clock = clock;
    this.#wake = wake;
  }

  /** @param at by the monotonic clock; Infinity for never */
  set(at: number): void {
    if (at === this.#wokenFor) return;
    this.#cancel?.();
    this.#cancel = undefined;
    this.#wokenFor = at;
    if (at === Infinity) return;
    this.#cancel = this.#clock.after(Math.max(1, at - this.#clock.monotonic()), () => {
      this.#wokenFor = Infinity;
      this.#wake();
    });
  }
}
