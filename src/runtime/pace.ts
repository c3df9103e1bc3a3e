import type { Clock } from "./clock.ts";
import { nextTurn } from "./next-turn.ts";

/** How long all work that is done in slices may together hold up everything else. */
const SLICE_MS = 20;

/** Lets long work be done in slices: it calls `breathe` between two steps. There is one for the whole process. */
export class Pace {
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  #since = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Gives way once the slice is used up; until then it costs next to nothing. One waiter goes on in each turn. */
  async breathe(): Promise<void> {
    if (this.#clock.monotonic() - this.#since < SLICE_MS) return;
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) nextTurn(() => this.#goOn());
    });
  }

  #goOn(): void {
    this.#since = this.#clock.monotonic();
    this.#waiting.shift()?.();
    if (this.#waiting.length > 0) nextTurn(() => this.#goOn());
  }
}
