import type { Clock } from "./clock.ts";
import { nextTurn } from "./next-turn.ts";

/** For how long work that is done in slices may hold up everybody else, all of it together. */
const SLICE_MS = 20;

/** Lets long work be done in slices: whoever does it calls `breathe` between two steps. One for the whole process. */
export class Pace {
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  #since = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Gives way once the slice is used up; until then it costs next to nothing. One who waits goes on in each turn. */
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
