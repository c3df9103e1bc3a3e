import type { Clock } from "../../runtime/clock.ts";

/** What has only so long. */
export interface Expiring {
  /** The time is over. */
  expire(): void;
}

/**
 * What is waited for, and not for longer than a bound that is the same for all: one timer, however many wait. It is late
 * by no more than the timer is.
 */
export class Deadlines<T extends Expiring> {
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #onExpired: () => void;
  /** In the order in which they end. */
  readonly #endsAt = new Map<T, number>();
  #isTimed = false;

  constructor(options: { readonly clock: Clock; readonly ms: number; readonly onExpired: () => void }) {
    this.#clock = options.clock;
    this.#ms = options.ms;
    this.#onExpired = options.onExpired;
  }

  /** Begins to wait; who waits already goes on by its first deadline. */
  begin(waiting: T): void {
    if (this.#endsAt.has(waiting)) return;
    this.#endsAt.set(waiting, this.#clock.monotonic() + this.#ms);
    this.#time();
  }

  end(waiting: T): void {
    this.#endsAt.delete(waiting);
  }

  #time(): void {
    const next = this.#endsAt.values().next().value;
    if (next === undefined || this.#isTimed) return;
    this.#isTimed = true;
    this.#clock.after(Math.max(1, next - this.#clock.monotonic()), () => {
      this.#isTimed = false;
      const now = this.#clock.monotonic();
      for (const [waiting, endsAt] of this.#endsAt) {
        if (endsAt > now) break;
        this.#endsAt.delete(waiting);
        this.#onExpired();
        waiting.expire();
      }
      this.#time();
    });
  }
}
