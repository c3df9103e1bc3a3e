import type { Clock } from "../runtime/clock.ts";

/** How much faster or slower than real time the store's clock may run, as a share, until it agrees with the clock it follows. */
export const CORRECTION_RATIO = 0.02;
/** The last millisecond of the year 9999: no later instant can be written down. */
export const LATEST_INSTANT_MS = 253_402_300_799_999;

/**
 * The store's clock. It advances with elapsed time, whatever the machine's clock does, so whatever should last a minute
 * lasts one: a drain, an expiry, a penalty.
 *
 * The clock that it follows, the machine's or the server's, is believed once, at the start, when it is ahead: nothing else
 * knows for how long the store was away. Later it only corrects: until both agree, the store's clock runs faster or slower
 * by a fiftieth. It never goes back.
 */
export class StoreTime {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #followed: () => number;
  #at: number;
  #takenAt: number;

  /** @param from The instant to start from and never to go behind, in milliseconds since the epoch. */
  constructor({ clock, followed, from }: { clock: Pick<Clock, "monotonic">; followed: () => number; from: number }) {
    this.#clock = clock;
    this.#followed = followed;
    this.#at = Math.min(from, LATEST_INSTANT_MS);
    this.#takenAt = clock.monotonic();
  }

  /** Milliseconds since the epoch, whole. */
  now(): number {
    const monotonic = this.#clock.monotonic();
    const elapsedMs = Math.max(0, monotonic - this.#takenAt);
    const missingMs = this.#followed() - (this.#at + elapsedMs);
    const mostMs = elapsedMs * CORRECTION_RATIO;
    const correctionMs = Math.min(Math.max(missingMs, -mostMs), mostMs);
    this.#at = Math.min(this.#at + elapsedMs + correctionMs, LATEST_INSTANT_MS);
    this.#takenAt = monotonic;
    return Math.floor(this.#at);
  }

  /** Moves on to an instant that another replica's store has reached. */
  hear(instant: number): void {
    if (instant > this.now() && instant <= LATEST_INSTANT_MS) this.#at = instant;
  }
}
