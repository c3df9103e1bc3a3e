import { printable } from "../domain/printable.ts";
import { cutToWidth } from "./display-width.ts";
import { type CliIo, screenLines } from "./io.ts";
import type { Line } from "./line.ts";
import { withLocalTimes } from "./moment.ts";

/** A line that is redrawn in place on a terminal, and not shown at all elsewhere. */
export class Progress {
  readonly #io: CliIo;
  #shown = "";

  constructor(io: CliIo) {
    this.#io = io;
  }

  show(line: string): void {
    const { isTty, isForPrograms, stdout, columns = Number.POSITIVE_INFINITY } = this.#io;
    if (!isTty || isForPrograms === true || line === this.#shown) return;
    // A line that wraps into the next one of the terminal could not be drawn over.
    stdout.write(`\r\u001B[K${cutToWidth(printable(withLocalTimes(line, this.#io)), columns - 1)}`);
    this.#shown = line;
  }

  clear(): void {
    if (this.#shown !== "") this.#io.stdout.write("\r\u001B[K");
    this.#shown = "";
  }
}

const POLL_MS = 500;

/**
 * Looks again and again until there is a result; a text is what to show until the next look. The last look is at `deadline`,
 * on the monotonic clock, and has to have a result or throw.
 */
export async function poll<T>(io: CliIo, deadline: number, look: () => Promise<T | string>): Promise<T> {
  const progress = new Progress(io);
  try {
    for (;;) {
      const found = await look();
      if (typeof found !== "string") return found;
      progress.show(found);
      await io.clock.sleep(Math.min(POLL_MS, Math.max(0, deadline - io.clock.monotonic())), io.signal);
    }
  } finally {
    progress.clear();
  }
}

/** Draws lines over those that were drawn before, as many as the terminal has room for. */
export function drawScreen(io: CliIo, lines: readonly Line[]): void {
  const { rows = Number.POSITIVE_INFINITY } = io;
  const all = screenLines(io, lines);
  // The cursor takes the line below the last one.
  const room = Math.max(2, rows - 1);
  const drawn = all.length <= room ? all : [...all.slice(0, room - 1), `… and ${all.length - room + 1} more lines`];
  io.stdout.write(`\u001B[H${drawn.map((line) => `${line}\u001B[K\n`).join("")}\u001B[J`);
}

/** `████████████░░░░░░░░` for 0.6. */
export function renderBar(ratio: number): string {
  const full = Math.round(Math.min(1, Math.max(0, ratio)) * BAR_WIDTH);
  return "█".repeat(full) + "░".repeat(BAR_WIDTH - full);
}

const BAR_WIDTH = 20;
