import { styleText } from "node:util";
import type { Command } from "commander";
import { printable } from "../domain/printable.ts";
import type { Clock } from "../runtime/clock.ts";
import type { AdminClient } from "./admin-client.ts";
import { type Line, lineText, type Piece, piecesOf, pieceText, type Tone, withText } from "./line.ts";
import { withLocalTimes, type Zone } from "./moment.ts";
import type { Outcome } from "./outcome.ts";
import { wrapped } from "./wrapped.ts";

/** Where text goes. */
export interface TextSink {
  write(text: string): unknown;
}

/** The world as a command sees it; passed in, so that tests can fake it. */
export interface CliIo extends Zone {
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Whether standard output is a terminal: progress is drawn in place there. */
  readonly isTty: boolean;
  /** How wide the terminal is: tables and lines fit it. Absent where there is none. */
  readonly columns?: number | undefined;
  /** How many lines it has: what is drawn again and again fits it. */
  readonly rows?: number | undefined;
  /** Whether colours are seen on standard output, and on standard error. Default: no. */
  readonly colors?: { readonly stdout: boolean; readonly stderr: boolean };
  /** Whether a program reads standard output: if so, no lines for people are written, and the outcome is one document. */
  readonly isForPrograms?: boolean;
  /** What `-f -` reads. Default: the standard input of the process. */
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** Ends what would go on for ever, for example `watch`. */
  readonly signal?: AbortSignal;
}

/**
 * Access to a store that no plane serves: this process serves the store's admin API to itself. The command line cannot open
 * stores; its caller passes in how.
 */
export interface StoreDoor {
  /** Gives a command the options that name a store. */
  addOptions(command: Command): Command;
  /** Which of a command's options names a store; undefined when none does. */
  named(command: Command): string | undefined;
  /**
   * Serves the store that a command's options name; undefined when they name none. Complaints about options are a line each.
   *
   * @throws Error with a message for people when the store cannot be opened, or a plane serves from it.
   */
  serve(command: Command): Promise<ServedStore | { readonly complaints: readonly string[] } | undefined>;
}

export interface ServedStore {
  /** Address of its admin API, `HOST:PORT`. */
  readonly server: string;
  stop(): Promise<void>;
}

/** What every command is given. */
export interface CliContext {
  readonly io: CliIo;
  /** The client of the plane that `--server` names; opened at the first call. */
  admin(): AdminClient;
  /** Another client, which the caller closes. */
  adminAt(server: string): AdminClient;
  readonly outcome: Outcome;
  /** Absent where no store can be opened. */
  readonly store: StoreDoor | undefined;
}

/*
 * All output of a command goes through these. Names, reasons and messages in it can neither control the terminal nor start
 * a new line. Times that a plane wrote are shown in the reader's zone. Only here is a line coloured, by what its parts mean.
 */

/** One line of the result, for people: a program gets the outcome's document instead. */
export function printLine(io: CliIo, line: Line): void {
  printLines(io, [line]);
}

export function printLines(io: CliIo, lines: readonly Line[]): void {
  if (lines.length > 0 && io.isForPrograms !== true)
    io.stdout.write(
      screenLines(io, lines)
        .map((line) => `${line}\n`)
        .join(""),
    );
}

/** Lines as standard output takes them: those wider than the terminal are wrapped. */
export function screenLines(io: CliIo, lines: readonly Line[]): readonly string[] {
  const { columns, colors } = io;
  return lines
    .map((line) => printableLine(line, io))
    .flatMap((line) => (columns === undefined ? [line] : wrapped(line, columns)))
    .map((line) => (colors?.stdout === true ? coloured(line) : lineText(line)));
}

/** One line beside the result: for people, never for the program behind a pipe. */
export function noteLine(io: CliIo, line: Line): void {
  const shown = printableLine(line, io);
  io.stderr.write(`${io.colors?.stderr === true ? coloured(shown) : lineText(shown)}\n`);
}

function printableLine(line: Line, zone: Zone): Line {
  const shown = (text: string) => printable(withLocalTimes(text, zone));
  return typeof line === "string" ? shown(line) : line.map((piece) => withText(piece, shown(pieceText(piece))));
}

const STYLES = { bad: "red", warn: "yellow", good: "green", head: "bold" } as const satisfies Record<Tone, string>;

function coloured(line: Line): string {
  return piecesOf(line).map(colouredPiece).join("");
}

function colouredPiece(piece: Piece): string {
  return typeof piece === "string" ? piece : styleText(STYLES[piece.tone], piece.text, { validateStream: false });
}

/** Prints text that has line breaks of its own: help, scripts, and data as `data-text.ts` writes it. */
export function printText(io: CliIo, text: string): void {
  io.stdout.write(printableLines(text));
}

/** The same, on standard error. */
export function noteText(io: CliIo, text: string): void {
  io.stderr.write(printableLines(text));
}

function printableLines(text: string): string {
  return text.replaceAll(/[^\n]+/g, printable);
}
