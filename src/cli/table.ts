import { printable } from "../domain/printable.ts";

const GAP = "  ";
/** A cell beyond this moves what is right of it in its own line only, so that one long name does not stretch all lines. */
const MAX_COLUMN_WIDTH = 60;

/** The lines of a borderless table: two blanks between columns, none at the ends of lines. */
export function tableLines(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const lines = [head, ...rows].map((cells) => cells.map(cellText));
  // Nothing stands right of the last column.
  const widths = head.slice(1).map((_, column) => columnWidth(lines.map((cells) => cells[column] ?? "")));
  return lines.map((cells) =>
    cells
      .map((cell, column) => padCell(cell, widths[column] ?? 0))
      .join(GAP)
      .trimEnd(),
  );
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
