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
  const eraseLine = () => line().splice(column);
  const write = (text: string) => {
    for (const character of text) {
      if (character === "\n") row += 1;
      else if (character === "\r") column = 0;
      else {
        if (column === columns) [row, column] = [row + 1, 0];
        line()[column++] = character;
      }
    }
  };
  const [first = "", ...parts] = output.split("\u001B");
  write(first);
  for (const part of parts) {
    const [, code = "", text = ""] = /^(\[[?\d;]*[A-Za-z])(.*)$/s.exec(part) ?? [];
    if (code === "[H") [row, column] = [0, 0];
    else if (code === "[K") eraseLine();
    else if (code === "[J") {
      eraseLine();
      cells.length = row + 1;
    } else if (code === "[?25l" || code === "[?25h") isCursorSeen = code === "[?25h";
    else if (!code.endsWith("m")) throw new Error(`a terminal is told ${JSON.stringify(part)}`);
    write(text);
  }
  const lines = Array.from(cells, (of) =>
    Array.from(of ?? [], (cell) => cell ?? " ")
      .join("")
      .trimEnd(),
  );
  while (lines.at(-1) === "") lines.pop();
  return { lines, cursor: { row, column }, isCursorSeen };
}
