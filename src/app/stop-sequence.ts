import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/logger.ts";

/** Beyond the grace: for a step to end what the grace was for, and for the store to close. */
const PATIENCE_MS = 600;
/** For all that did not end in its turn, at the very end. */
const LAST_PATIENCE_MS = 150;

interface Step {
  readonly what: string;
  readonly end: (graceMs: number) => unknown;
}

/**
 * What was started, in order, to be ended the other way round. A step that hangs or fails keeps no other one from ending:
 * the sequence goes on without it, and the whole of it takes the grace and 750 ms at most.
 */
export class StopSequence {
  readonly #steps: Step[] = [];
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor({ clock, log }: { readonly clock: Clock; readonly log: Logger }) {
    this.#clock = clock;
    this.#log = log;
  }

  /** @param end Is given what is left of the grace, in milliseconds. */
  add(what: string, end: (graceMs: number) => unknown): void {
    this.#steps.push({ what, end });
  }

  /** Ends all that has not been ended yet. Returns what did not end in time, or failed to; never rejects. */
  async run(graceMs: number): Promise<readonly string[]> {
    const graceEndsAt = this.#clock.monotonic() + graceMs;
    const left = new Map<string, Promise<void>>();
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      const { what } = step;
      const ending = this.#end(step, Math.max(0, graceEndsAt - this.#clock.monotonic())).then(
        () => void left.delete(what),
        (err: unknown) => this.#log.error({ err, what }, "a part could not be ended"),
      );
      left.set(what, ending);
      await this.#within(graceEndsAt + PATIENCE_MS - this.#clock.monotonic(), ending);
    }
    if (left.size > 0) await this.#within(LAST_PATIENCE_MS, Promise.all(left.values()));
    return [...left.keys()];
  }

  async #end({ end }: Step, graceMs: number): Promise<void> {
    await end(graceMs);
  }

  async #within(ms: number, done: Promise<unknown>): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const cancel = this.#clock.after(Math.max(0, ms), resolve);
    await Promise.race([done, late]);
    cancel();
  }
}
