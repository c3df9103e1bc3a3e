import type { Clock } from "../runtime/clock.ts";

/** Callers that wait until a log is read up to some position. */
export class PositionWaiters {
  readonly #clock: Clock;
  readonly #waiters = new Set<{ readonly position: number; readonly resolve: (at: number | undefined) => void }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Time of the commit at a position or past it; undefined if that takes longer than `withinMs`. */
  async wait(position: number, withinMs: number): Promise<number | undefined> {
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    const waiter = { position, resolve };
    this.#waiters.add(waiter);
    const cancel = this.#clock.after(withinMs, () => resolve(undefined));
    return await promise.finally(() => {
      cancel();
      this.#waiters.delete(waiter);
    });
  }

  /** Called once all up to a position is read; `at` is the time of the commit there. */
  reached(position: number, at: number): void {
    for (const waiter of this.#waiters) if (waiter.position <= position) waiter.resolve(at);
  }

  /** Called when nothing more will be read. */
  close(): void {
    for (const waiter of this.#waiters) waiter.resolve(undefined);
  }
}
