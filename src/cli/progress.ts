import { printable } from "../domain/printable.ts";
import type { CliIo } from "./io.ts";

/** A line that is drawn again in place on a terminal, and not at all elsewhere. */
export class Progress {
  readonly #io: CliIo;
  #shown = "";

  constructor(io: CliIo) {
    this.#io = io;
  }

  show(line: string): void {
    if (!this.#io.isTty || this.#io.isForPrograms === true || line === this.#shown) return;
    this.#io.stdout.write(`\r\u001B[K${printable(line)}`);
    this.#shown = line;
  }

  clear(): void {
    if (this.#shown !== "") this.#io.stdout.write("\r\u001B[K");
    this.#shown = "";
  }
}

/** For what is drawn again as a whole; what the terminal showed before is gone. */
export function clearScreen({ stdout }: CliIo): void {
  stdout.write("\u001B[H\u001B[2J\u001B[3J");
}

/** `████████████░░░░░░░░` for 0.6. */
export function renderBar(ratio: number): string {
  const full = Math.round(Math.min(1, Math.max(0, ratio)) * BAR_WIDTH);
  return "█".repeat(full) + "░".repeat(BAR_WIDTH - full);
}

const BAR_WIDTH = 20;
