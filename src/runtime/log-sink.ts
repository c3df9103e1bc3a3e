/** What a log is written to: a stream of the process, which tells how much is waiting for its reader. */
export interface LogTarget {
  readonly writableLength: number;
  write(text: string, done: (error?: Error | null) => void): unknown;
}

/** About this much of the log waits for a stalled reader; what comes after it is dropped and counted. */
export const MAX_WAITING_LOG_BYTES = 4_194_304;

/**
 * Where the lines of a log go. Whatever happens to its reader, a writer is never held up and never fails: a line that
 * cannot be written, since nobody reads any more, the disk is full, or too much is waiting already, is lost and counted.
 */
export class LogSink {
  readonly #target: LogTarget;
  #lost = 0;
  #untold = 0;

  constructor(target: LogTarget) {
    this.#target = target;
  }

  /** Lines that were lost since the process began. */
  get lost(): number {
    return this.#lost;
  }

  write(line: string): void {
    if (this.#target.writableLength > MAX_WAITING_LOG_BYTES) {
      this.#lose();
      return;
    }
    if (this.#untold > 0) {
      const told = `{"level":40,"component":"log","lost":${this.#untold},"msg":"log lines were lost before this one"}\n`;
      this.#untold = 0;
      this.#target.write(told, () => undefined);
    }
    this.#target.write(line, (error) => {
      if (error) this.#lose();
    });
  }

  /** Resolves when everything written so far has been accepted or refused. */
  async flush(): Promise<void> {
    await new Promise<void>((resolve) => this.#target.write("", () => resolve()));
  }

  #lose(): void {
    this.#lost += 1;
    this.#untold += 1;
  }
}
