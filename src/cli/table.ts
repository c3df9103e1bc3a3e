import { printable } from "../domain/printable.ts";
import { cutToWidth, displayWidth } from "./display-width.ts";
import { type CliIo, noteLine, printLines } from "./io.ts";
import { indented, type Line, type Piece, pieceText, toned, withText } from "./line.ts";
import { withLocalTimes, type Zone } from "./moment.ts";

const GAP = "  ";
/** A wider cell shifts only its own line to the right, so one long name does not stretch all lines. */
const MAX_COLUMN_WIDTH = 60;

/** A column can shrink to this width, or to that of its head if that is wider. */
const MIN_COLUMN_WIDTH = 12;
/** The last column says why: spare columns are left out before it becomes narrower than this. */
const MIN_LAST_WIDTH = 24;

/** How a table fits a terminal and its reader. */
export interface Fit extends Zone {
  /** Width of the terminal; when absent, nothing is left out. */
  readonly columns?: number | undefined;
  /** Text before each line. Default: none. */
  readonly indent?: string;
  /** Heads of the columns that can be left out, in that order. */
  readonly spare?: readonly string[];
}

/**
 * The lines of a borderless table: two blanks between columns, none at the ends of lines.
 *
 * Where the table is wider than the terminal, the last column shrinks first, down to 24; then the spare columns are left
 * out; then all shrink from right to left, each down to 12 or its head's width. Text that is cut is marked with `…`.
 */
export function tableLines(head: readonly string[], rows: readonly (readonly Piece[])[], fit: Fit = {}): Line[] {
  const whole = [head.map((text) => toned("head", text)), ...rows].map((cells) =>
    cells.map((cell) => withText(cell, cellText(withLocalTimes(pieceText(cell), fit)))),
  );
  const { columns, indent = "", spare = [] } = fit;
  const lines = columns === undefined ? whole : fitted(whole, columns - indent.length, spare);
  // The last column needs no width: nothing stands to the right of it.
  const widths = lines[0]?.slice(1).map((_, column) => columnWidth(lines.map((cells) => textAt(cells, column)))) ?? [];
  return lines.map((cells) => indented(joined(cells, widths), indent));
}

/** Prints a table for people; where it would be empty, a note says what there is none of. */
export function printTable(
  io: CliIo,
  head: readonly string[],
  rows: readonly (readonly Piece[])[],
  { none, spare = [] }: { readonly none: string; readonly spare?: Fit["spare"] | undefined },
): void {
  if (rows.length > 0) printLines(io, tableLines(head, rows, { ...io, spare }));
  else if (io.isForPrograms !== true) noteLine(io, none);
}

/** Pieces of plain text only are joined into one string. */
function joined(cells: readonly Piece[], widths: readonly number[]): Line {
  const last = cells.findLastIndex((cell) => pieceText(cell) !== "");
  const pieces = cells.slice(0, last + 1).flatMap((cell, column): Piece[] => {
    const text = pieceText(cell);
    return column === last ? [cell] : [cell, padCell(text, widths[column] ?? 0).slice(text.length) + GAP];
  });
  return pieces.every((piece) => typeof piece === "string") ? pieces.join("") : pieces;
}

function fitted(whole: readonly (readonly Piece[])[], room: number, spare: readonly string[]) {
  const lines = spared(whole, room, spare);
  const widths = widthsOf(lines);
  let tooMuch = totalOf(widths) - room;
  for (let column = widths.length - 1; column >= 0 && tooMuch > 0; column--) {
    const width = widths[column] ?? 0;
    const least = Math.max(MIN_COLUMN_WIDTH, displayWidth(textAt(lines[0] ?? [], column)));
    const given = Math.max(0, Math.min(tooMuch, width - least));
    widths[column] = width - given;
    tooMuch -= given;
  }
  return lines.map((cells) =>
    cells.map((cell, column) => withText(cell, cutToWidth(pieceText(cell), widths[column] ?? 0))),
  );
}

/** Leaves out spare columns until the last column has room. */
function spared(whole: readonly (readonly Piece[])[], room: number, [first, ...others]: readonly string[]) {
  const widths = widthsOf(whole);
  const last = widths.pop() ?? 0;
  const column = whole[0]?.findIndex((cell) => pieceText(cell) === first) ?? -1;
  if (first === undefined || totalOf([...widths, Math.min(last, MIN_LAST_WIDTH)]) <= room) return whole;
  const without = column < 0 ? whole : whole.map((cells) => cells.filter((_, at) => at !== column));
  return spared(without, room, others);
}

function widthsOf(lines: readonly (readonly Piece[])[]): number[] {
  return (lines[0] ?? []).map((_, column) =>
    lines.reduce((widest, cells) => Math.max(widest, displayWidth(textAt(cells, column))), 0),
  );
}

function totalOf(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1);
}

function textAt(cells: readonly Piece[], column: number): string {
  return pieceText(cells[column] ?? "");
}

/** Text that is safe in a column: blanks in it can neither look like a gap nor push text to the terminal's next line. */
export function cellText(text: string): string {
  return printable(text).replaceAll(/ {2,}/g, (blanks) => ` ${"\\x20".repeat(blanks.length - 1)}`);
}

/** The width that all cells fit, up to a bound. */
export function columnWidth(cells: readonly string[]): number {
  return cells.reduce((widest, cell) => Math.max(widest, Math.min(MAX_COLUMN_WIDTH, displayWidth(cell))), 0);
}

export function padCell(cell: string, width: number): string {
  return width === 0 ? cell : cell + " ".repeat(Math.max(0, width - displayWidth(cell)));
}
