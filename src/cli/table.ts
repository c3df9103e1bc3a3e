import { printable } from "../domain/printable.ts";

const GAP = "  ";
/** A cell beyond this moves what is right of it in its own line only, so that one long name does not stretch all lines. */
const MAX_COLUMN_WIDTH = 60;

/** A column gives way down to this, or to its head where that is longer. */
const MIN_COLUMN_WIDTH = 12;

/**
 * The lines of a borderless table: two blanks between columns, none at the ends of lines.
 *
 * @param room The columns of the terminal. Where the table is wider, its own give way: the last, which says why, first, then
 * the others from right to left, each down to 12 or its head. What is left out is marked with `…`. Without it nothing is left out.
 */
export function tableLines(head: readonly string[], rows: readonly (readonly string[])[], room?: number): string[] {
  const whole = [head, ...rows].map((cells) => cells.map(cellText));
  const lines = room === undefined ? whole : fitted(whole, room);
  // Nothing stands right of the last column.
  const widths = head.slice(1).map((_, column) => columnWidth(lines.map((cells) => cells[column] ?? "")));
  return lines.map((cells) =>
    cells
      .map((cell, column) => padCell(cell, widths[column] ?? 0))
      .join(GAP)
      .trimEnd(),
  );
}

function fitted(lines: readonly (readonly string[])[], room: number): readonly (readonly string[])[] {
  const widths = (lines[0] ?? []).map((_, column) =>
    lines.reduce((widest, cells) => Math.max(widest, displayWidth(cells[column] ?? "")), 0),
  );
  let tooMuch = widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1) - room;
  for (let column = widths.length - 1; column >= 0 && tooMuch > 0; column--) {
    const width = widths[column] ?? 0;
    const least = Math.max(MIN_COLUMN_WIDTH, displayWidth(lines[0]?.[column] ?? ""));
    const given = Math.max(0, Math.min(tooMuch, width - least));
    widths[column] = width - given;
    tooMuch -= given;
  }
  return lines.map((cells) => cells.map((cell, column) => cut(cell, widths[column] ?? 0)));
}

function cut(cell: string, width: number): string {
  if (displayWidth(cell) <= width) return cell;
  let [kept, taken] = ["", 0];
  for (const { segment } of segmenter.segment(cell)) {
    taken += displayWidth(segment);
    if (taken > width - 1) break;
    kept += segment;
  }
  return `${kept.trimEnd()}…`;
}

/** Text as it can stand in a column: the blanks in it neither look like a gap nor reach the next line of the terminal. */
export function cellText(text: string): string {
  return printable(text).replaceAll(/ {2,}/g, (blanks) => ` ${"\\x20".repeat(blanks.length - 1)}`);
}

/** The width that fits all cells, up to a bound. */
export function columnWidth(cells: readonly string[]): number {
  return cells.reduce((widest, cell) => Math.max(widest, Math.min(MAX_COLUMN_WIDTH, displayWidth(cell))), 0);
}

export function padCell(cell: string, width: number): string {
  return width === 0 ? cell : cell + " ".repeat(Math.max(0, width - displayWidth(cell)));
}

const PLAIN = /^[\x20-\x7e]*$/;
const COMBINING = /^\p{M}+$/u;
/** Of what East Asian scripts and pictures begin with, near enough. */
const WIDE =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3001-\u303e\uff01-\uff60\uffe0-\uffe6]/u;
const segmenter = new Intl.Segmenter();

/** How many columns of a terminal a text takes: a letter with its accents one, an ideograph or a picture two. */
function displayWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) {
    if (!COMBINING.test(segment)) width += WIDE.test(segment) ? 2 : 1;
  }
  return width;
}
