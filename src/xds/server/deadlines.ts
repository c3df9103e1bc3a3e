import type { Clock } from "../../runtime/clock.ts";

/** Something with a deadline. */
export interface Expiring {
  /** Called when its time is over. */
  expire(): void;
}

/**
 * Waits that share one bound, and one timer however many there are. A deadline is late by no more than the timer is.
 */
export class Deadlines<T extends Expiring> {
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #onExpired: () => void;
  /** When each wait ends; in that order. */
  readonly #endsAt = new Map<T, number>();
  #isTimed = false;

  constructor(options: { readonly clock: Clock; readonly ms: number; readonly onExpired: () => void }) {
    this.#clock = options.clock;
    this.#ms = options.ms;
    this.#onExpired = options.onExpired;
  }

  /** Begins a wait; one that has already begun keeps its first deadline. */
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
