import type { Clock } from "../../runtime/clock.ts";
import { nextTurn } from "../../runtime/next-turn.ts";

/** What the requests of all streams may take of one turn of the loop before others have theirs. */
const SHARE_MS = 20;

/** One stream's bytes that are waiting to be read. */
export interface Pending {
  /** Handles one request. False when none is left. */
  readNext(): boolean;
}

/**
 * Keeps requests from holding up the loop: those of one turn are handled at once as long as they take little together; the
 * rest waits for later turns, one request of each stream after the other.
 */
export class ReceiveTurns {
  readonly #clock: Clock;
  readonly #waiting = new Set<Pending>();
  #turnBegan: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Handles what a stream has received, now or soon. */
  add(pending: Pending): void {
    if (this.#waiting.has(pending)) return;
    if (this.#turnBegan === undefined) this.#begin();
    while (this.#waiting.size === 0 && this.#hasTime()) if (!pending.readNext()) return;
    this.#waiting.add(pending);
  }

  #begin(): void {
    this.#turnBegan = this.#clock.monotonic();
    nextTurn(() => {
      this.#turnBegan = undefined;
      if (this.#waiting.size === 0) return;
      this.#begin();
      this.#goOn();
    });
  }

  #goOn(): void {
    for (const pending of this.#waiting) {
      this.#waiting.delete(pending);
      if (pending.readNext()) this.#waiting.add(pending);
      if (!this.#hasTime()) return;
    }
  }

  #hasTime(): boolean {
    return this.#clock.monotonic() - (this.#turnBegan ?? 0) < SHARE_MS;
  }
}
