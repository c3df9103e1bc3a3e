const TITLE_WIDTH = 27;

/** Prints one line for each step of the demo: what is under way on a terminal, and how it ended everywhere. */
export class Steps {
  /** Runs one step; it returns its result and the words for the line. */
  async run<T>(title: string, work: (say: (text: string) => void) => Promise<[result: T, words: string]>): Promise<T> {
    const say = (text: string) => this.#draw(`  … ${title.padEnd(TITLE_WIDTH)} ${text}`);
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

  #draw(line: string): void {
    if (process.stdout.isTTY) process.stdout.write(`\r\u001B[K${line}`);
  }

  #finish(line: string): void {
    this.#draw("");
    console.log(line);
  }
}

/** Asks again and again until `read` gives something. @throws Error after a minute, or with what `failed` says. */
export async function until<T>(
  what: string,
  read: () => Promise<T | undefined>,
  failed: () => string | undefined,
): Promise<T> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const reason = failed();
    if (reason !== undefined) throw new Error(`${what}: ${reason}`);
    const value = await read();
    if (value !== undefined) return value;
    if (performance.now() > deadline) throw new Error(`${what}: not within a minute`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
