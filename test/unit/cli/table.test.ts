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

  it("fits a terminal: the last column gives way first, then the others from right to left, and all stays without one", () => {
    const rows = [["node edge-7 refused listener web", "3 h", "cannot bind '0.0.0.0:10000': Address already in use"]];
    const head = ["PROBLEM", "SINCE", "WHY"];
    expect(tableLines(head, rows)[1]).toContain("Address already in use");
    expect(tableLines(head, rows, 200)).toEqual(tableLines(head, rows));
    expect(tableLines(head, rows, 70)[1]).toBe(
      "node edge-7 refused listener web  3 h    cannot bind '0.0.0.0:10000':…",
    );
    expect(tableLines(head, rows, 40)[1]).toBe("node edge-7 refuse…  3 h    cannot bind…");
    for (const room of [40, 60, 80]) {
      for (const line of tableLines(head, [...rows, ["日本".repeat(20), "1 d", "🚀".repeat(50)]], room)) {
        const wide = line.match(/[日本🚀]/gu)?.length ?? 0;
        expect(Array.from(line).length + wide).toBeLessThanOrEqual(room);
      }
    }
  });

  it("gives no cell the gap that parts columns, nor blanks to reach the next line of the terminal", () => {
    const [, line = ""] = tableLines(["NODE", "CDS"], [[`a${" ".repeat(80)}b  ack`, "REFUSED"]]);
    expect(line.split(/ {2,}/)).toEqual([expect.stringMatching(/^a (\\x20){79}b \\x20ack$/), "REFUSED"]);
  });
});
