import type { Clock } from "../../runtime/clock.ts";
import { nextTurn } from "../../runtime/next-turn.ts";

/** How long the requests of all streams may take in one turn of the event loop before other work gets its turn. */
const SHARE_MS = 20;

/** One stream's bytes that are waiting to be read. */
export interface Pending {
  /** Handles one request. Returns false when none is left. */
  readNext(): boolean;
}

/**
 * Keeps requests from holding up the event loop: those of one turn are handled at once while together they take little
 * time; the rest wait for later turns, taking one request from each stream in rotation.
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
