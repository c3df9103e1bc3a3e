import { displayWidth, indexAtWidth } from "./display-width.ts";
import { type Line, lineText, type Piece, piecesOf, pieceText, withText } from "./line.ts";

/**
 * Wraps a line to fit a terminal, at blanks where possible. Continuation lines are indented a little further than the start
 * of the last column, or of the first word, so text in a name or a reason never stands where a line begins.
 */
export function wrapped(line: Line, columns: number): readonly Line[] {
  const text = lineText(line);
  if (displayWidth(text) <= columns) return [line];
  const hang = " ".repeat(hangOf(text, columns));
  const lines: Line[] = [];
  for (let start = 0; start < text.length; ) {
    const indent = start === 0 ? "" : hang;
    const end = endOf(text, start, columns - indent.length);
    lines.push([indent, ...slice(piecesOf(line), start, end)]);
    start = end + (/^ */.exec(text.slice(end))?.[0].length ?? 0);
  }
  return lines;
}

const FURTHER_IN = 2;
/** In UTF-16 code units. */
const MOST_PER_COLUMN = 10;

/** Never beyond the middle: a narrow terminal would have no room to the right of it. */
function hangOf(text: string, columns: number): number {
  const middle = Math.floor(columns / 2) - FURTHER_IN;
  const begin = text.slice(0, columns);
  const starts = Array.from(begin.matchAll(/(?<=\S {2,})\S/g), ({ index }) => displayWidth(text.slice(0, index)));
  const start = starts.findLast((at) => at <= middle) ?? Math.min(text.search(/\S/), middle);
  return Math.max(0, start) + FURTHER_IN;
}

function endOf(text: string, start: number, room: number): number {
  // Measures no more than could fit: a letter has at most four accents.
  const rest = text.slice(start, start + (room + 1) * MOST_PER_COLUMN);
  const most = Math.max(1, indexAtWidth(rest, room));
  if (start + most === text.length) return text.length;
  const blank = rest.lastIndexOf(" ", most);
  // Never break at the blanks that lead the line.
  return start + (rest.slice(0, Math.max(0, blank)).trim() === "" ? most : blank);
}

function slice(pieces: readonly Piece[], start: number, end: number): Piece[] {
  let at = 0;
  return pieces.flatMap((piece) => {
    const text = pieceText(piece);
    const part = text.slice(Math.max(0, start - at), Math.max(0, end - at));
    at += text.length;
    return part === "" ? [] : [withText(piece, part)];
  });
}
