import { describe, expect, it } from "vitest";
import { tableLines } from "../../../src/cli/table.ts";

describe("tableLines", () => {
  it("aligns what is wide, what takes no room and what is shown as an escape", () => {
    const rows = ["日本", "e\u0301té", "🚀", "\u001b[2K", "plain"].map((text) => [text, "|"]);
    expect(tableLines(["NAME", "END"], rows)).toEqual([
      "NAME     END",
      "日本     |",
      "e\u0301té      |",
      "🚀       |",
      "\\x1b[2K  |",
      "plain    |",
    ]);
  });

  it("lets one long cell stretch its own line only", () => {
    const long = "x".repeat(1000);
    const lines = tableLines(
      ["A", "B"],
      [
        [long, "1"],
        ["y", "2"],
      ],
    );
    expect(lines.map((line) => line.length)).toEqual([63, 1003, 63]);
    expect(lines[1]).toBe(`${long}  1`);
  });

  it("gives no cell the gap that parts columns, nor blanks to reach the next line of the terminal", () => {
    const [, line = ""] = tableLines(["NODE", "CDS"], [[`a${" ".repeat(80)}b  ack`, "REFUSED"]]);
    expect(line.split(/ {2,}/)).toEqual([expect.stringMatching(/^a (\\x20){79}b \\x20ack$/), "REFUSED"]);
  });
});
