import { stripVTControlCharacters } from "node:util";

export interface Screen {
  /** What is seen in the end, without blanks at the ends of lines, and without the empty lines below. */
  readonly lines: readonly string[];
  /** Where the cursor is, counted from 0. */
  readonly cursor: { readonly row: number; readonly column: number };
  readonly isCursorSeen: boolean;
}

/** Plays what a program wrote on a terminal that never scrolls: as much of its language as Fairlead uses, and no more. */
export function screenOf(output: string, columns: number): Screen {
  const cells: string[][] = [[]];
  let [row, column, isCursorSeen] = [0, 0, true];
  const line = () => (cells[row] ??= []);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are the language of terminals
  for (const [token] of output.matchAll(/\u001b\[[?\d;]*[A-Za-z]|./gsu)) {
    if (token === "\n") row += 1;
    else if (token === "\r") column = 0;
    else if (token === "\u001b[H") [row, column] = [0, 0];
    else if (token === "\u001b[K") line().length = Math.min(line().length, column);
    else if (token === "\u001b[J") {
      line().length = Math.min(line().length, column);
      cells.length = row + 1;
    } else if (token === "\u001b[?25l" || token === "\u001b[?25h") isCursorSeen = token.endsWith("h");
    else if (stripVTControlCharacters(token) !== "") {
      if (column === columns) [row, column] = [row + 1, 0];
      line()[column++] = token;
    } else if (!token.endsWith("m")) throw new Error(`a terminal is told ${JSON.stringify(token)}`);
  }
  const lines = Array.from(cells, (of) =>
    Array.from(of ?? [], (cell) => cell ?? " ")
      .join("")
      .trimEnd(),
  );
  while (lines.at(-1) === "") lines.pop();
  return { lines, cursor: { row, column }, isCursorSeen };
}
