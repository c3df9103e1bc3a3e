import type { Clock } from "./clock.ts";
import { nextTurn } from "./next-turn.ts";

/** How long a piece of long work may hold up everybody else. */
const SLICE_MS = 20;

/** Lets long work be done in slices: call `breathe` between two steps of it. */
export class Pace {
  readonly #clock: Clock;
  #since: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.monotonic();
  }

  /** Gives way to all that waits once a slice is used up; until then it costs next to nothing. */
  async breathe(): Promise<void> {
    if (this.#clock.monotonic() - this.#since < SLICE_MS) return;
    await new Promise<void>((resolve) => nextTurn(resolve));
    this.#since = this.#clock.monotonic();
  }
}
