import type { Clock } from "../../runtime/clock.ts";

/** Most large responses on their way at once. */
const MAX_OPEN = 16;
/** A response that is not finished by then waits for its client, and no longer keeps others waiting. */
const PATIENCE_MS = 5;

/**
 * Lets a few large responses be written to their end before others begin: the first clients have theirs at once, and
 * what is being written stays small. Clients that do not read hold it up only for a moment.
 */
export class WriteWindow {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  readonly #open = new Set<() => void>();
  #isTimed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `begin` once there is room, now or later. The caller must `leave` when all is written, or never will be. */
  enter(begin: () => void): void {
    if (this.#open.size < MAX_OPEN) this.#start(begin);
    else {
      this.#waiting.add(begin);
      this.#watch();
    }
  }

  leave(begin: () => void): void {
    this.#waiting.delete(begin);
    if (this.#open.delete(begin)) this.#startWaiting();
  }

  #startWaiting(): void {
    for (const begin of this.#waiting) {
      if (this.#open.size >= MAX_OPEN) return;
      this.#waiting.delete(begin);
      this.#start(begin);
    }
  }

  #start(begin: () => void): void {
    this.#open.add(begin);
    begin();
  }

  #watch(): void {
    if (this.#isTimed) return;
    this.#isTimed = true;
    const before = [...this.#open];
    this.#clock.after(PATIENCE_MS, () => {
      this.#isTimed = false;
      for (const begin of before) this.#open.delete(begin);
      this.#startWaiting();
      if (this.#waiting.size > 0) this.#watch();
    });
  }
}
