/**
 * Runs tasks that touch different keys concurrently, and those that share a key one after the other, in the order of their
 * arrival. A task waits only for earlier ones, so none waits for itself.
 */
export class Lanes {
  readonly #mostAtOnce: number;
  /** The last task of each key. */
  readonly #tails = new Map<string, Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  readonly #tasks = new Set<Promise<void>>();
  #running = 0;

  constructor(mostAtOnce: number) {
    this.#mostAtOnce = mostAtOnce;
  }

  /** Settles as `task` does. */
  async run<T>(keys: Iterable<string>, task: () => Promise<T>): Promise<T> {
    const own = [...new Set(keys)];
    const before = own.flatMap((key) => this.#tails.get(key) ?? []);
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    for (const key of own) this.#tails.set(key, ended);
    this.#tasks.add(ended);
    await Promise.all(before);
    try {
      await this.#slot();
      return await task();
    } finally {
      this.#release();
      this.#tasks.delete(ended);
      for (const key of own) if (this.#tails.get(key) === ended) this.#tails.delete(key);
      end();
    }
  }

  /** Resolves when all tasks that have arrived by now have ended. */
  async idle(): Promise<void> {
    await Promise.all(this.#tasks);
  }

  async #slot(): Promise<void> {
    if (this.#running >= this.#mostAtOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1;
  }

  /** Hands the slot to the next waiting task, or frees it. */
  #release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running -= 1;
    else next();
  }
}
