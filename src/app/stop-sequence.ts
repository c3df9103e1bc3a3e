import type { Machine } from "../runtime/machine.ts";

/** Time beyond the grace for a step to finish after the grace is over, and for the store to close. */
const PATIENCE_MS = 600;
/** Time at the very end for everything that did not end in its turn. */
const LAST_PATIENCE_MS = 150;

interface Step {
  readonly what: string;
  readonly end: (graceMs: number) => unknown;
}

/**
 * The parts that were started, in order, to be ended in reverse. A step that hangs or fails does not keep others from ending:
 * the sequence goes on without it, and takes at most the grace plus 750 ms in all.
 */
export class StopSequence {
  readonly #steps: Step[] = [];
  readonly #machine: Pick<Machine, "clock" | "log">;

  constructor(machine: Pick<Machine, "clock" | "log">) {
    this.#machine = machine;
  }

  /** @param end Receives what is left of the grace, in milliseconds. */
  add(what: string, end: (graceMs: number) => unknown): void {
    this.#steps.push({ what, end });
  }

  /** Ends every part that has not ended yet. Returns those that did not end in time or failed; never rejects. */
  async run(graceMs: number): Promise<readonly string[]> {
    const { clock, log } = this.#machine;
    const graceEndsAt = clock.monotonic() + graceMs;
    const left = new Map<string, Promise<void>>();
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      const { what } = step;
      const ending = this.#end(step, Math.max(0, graceEndsAt - clock.monotonic())).then(
        () => void left.delete(what),
        (err: unknown) => log.error({ err, what }, "a part could not be stopped"),
      );
      left.set(what, ending);
      await this.#within(graceEndsAt + PATIENCE_MS - clock.monotonic(), ending);
    }
    if (left.size > 0) await this.#within(LAST_PATIENCE_MS, Promise.all(left.values()));
    return [...left.keys()];
  }

  async #end({ end }: Step, graceMs: number): Promise<void> {
    await end(graceMs);
  }

  async #within(ms: number, done: Promise<unknown>): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const cancel = this.#machine.clock.after(Math.max(0, ms), resolve);
    await Promise.race([done, late]);
    cancel();
  }
}
