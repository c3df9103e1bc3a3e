import { setTimeout as sleep } from "node:timers/promises";

const TITLE_WIDTH = 19;

/** Prints one line for each step of the demo: what is under way on a terminal, and how it ended everywhere. */
export class Steps {
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Runs one step; it returns its result and the words for the line. None begins, or is told of, once the signal is aborted. */
  async run<T>(title: string, work: (say: (text: string) => void) => Promise<[result: T, words: string]>): Promise<T> {
    this.#signal.throwIfAborted();
    const say = (text: string) => drawInPlace(`  … ${title.padEnd(TITLE_WIDTH)} ${text}`);
    say("");
    try {
      const [result, words] = await work(say);
      this.#finish(`  ✓ ${title.padEnd(TITLE_WIDTH)} ${words}`);
      return result;
    } catch (error) {
      this.#finish(`  ✗ ${title}`);
      throw error;
    }
  }

  #finish(line: string): void {
    if (this.#signal.aborted) return;
    drawInPlace("");
    console.log(line);
  }
}

/** Draws one line of a terminal over the one that was drawn before; nothing where there is none. */
export function drawInPlace(line: string): void {
  const { isTTY, columns } = process.stdout;
  // A line that reaches the next one could not be drawn over.
  if (isTTY) process.stdout.write(`\r\u001B[K${line.slice(0, columns - 1)}`);
}

/** Asks again and again until `read` gives something. @throws Error after a minute, or with what `failed` says. */
export async function until<T>(
  what: string,
  {
    read,
    failed,
    signal,
  }: { read: () => Promise<T | undefined>; failed?: () => string | undefined; signal: AbortSignal },
): Promise<T> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const reason = failed?.();
    if (reason !== undefined) throw new Error(`${what}: ${reason}`);
    const value = await read();
    if (value !== undefined) return value;
    if (performance.now() > deadline) throw new Error(`${what}: not within a minute`);
    await sleep(50, undefined, { signal });
  }
}
