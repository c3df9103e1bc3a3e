import { printable } from "../domain/printable.ts";
import type { Clock } from "../runtime/clock.ts";
import type { AdminClient } from "./admin-client.ts";

/** Where text goes to. */
export interface TextSink {
  write(text: string): unknown;
}

/** The world as a command sees it; handed in, so that tests can play it. */
export interface CliIo {
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Whether standard output is a terminal: progress is drawn in place there. */
  readonly isTty: boolean;
  /** What `-f -` reads. Default: the standard input of the process. */
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** Ends what would go on for ever, `watch` for example. */
  readonly signal?: AbortSignal;
}

/** What every command is given. */
export interface CliContext {
  readonly io: CliIo;
  /** The client of the plane that `--server` names; opened at the first call. */
  admin(): AdminClient;
}

/*
 * All that a command says goes out by these. Whatever names, reasons and messages are in it, it cannot draw on the terminal,
 * and none of it starts a line unless a line was given.
 */

/** One line of the result. */
export function printLine(io: CliIo, line: string): void {
  io.stdout.write(`${printable(line)}\n`);
}

export function printLines(io: CliIo, lines: readonly string[]): void {
  if (lines.length > 0) io.stdout.write(lines.map((line) => `${printable(line)}\n`).join(""));
}

/** One line beside the result: for people, never for the program behind a pipe. */
export function noteLine(io: CliIo, line: string): void {
  io.stderr.write(`${printable(line)}\n`);
}

/** What has lines of its own: help, scripts, and data as `data-text.ts` writes it. */
export function printText(io: CliIo, text: string): void {
  io.stdout.write(printableLines(text));
}

/** The same beside the result. */
export function noteText(io: CliIo, text: string): void {
  io.stderr.write(printableLines(text));
}

function printableLines(text: string): string {
  return text.replaceAll(/[^\n]+/g, printable);
}
