import { unlessAborted } from "../runtime/unless-aborted.ts";

/** The candidates for a role in one process take turns, in the order in which they came. */
export class Turns {
  /** By role: resolves when the last turn that was asked for has ended. */
  readonly #ends = new Map<string, Promise<void>>();

  /**
   * Resolves when all earlier turns have ended, with the function that ends this one. Rejects with the signal's reason when
   * it is aborted first.
   */
  async take(role: string, signal: AbortSignal): Promise<() => void> {
    const before = this.#ends.get(role) ?? Promise.resolve();
    const { promise, resolve: end } = Promise.withResolvers<void>();
    const ended = before.then(() => promise);
    this.#ends.set(role, ended);
    void ended.then(() => this.#ends.get(role) === ended && this.#ends.delete(role));
    try {
      await unlessAborted(before, signal);
      return end;
    } catch (error) {
      end();
      throw error;
    }
  }
}
