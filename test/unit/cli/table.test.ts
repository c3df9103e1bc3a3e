import { describe, expect, it } from "vitest";
import { lineText, toned } from "../../../src/cli/line.ts";
import { type Fit, tableLines } from "../../../src/cli/table.ts";

const linesOf = (head: readonly string[], rows: readonly (readonly string[])[], fit?: Fit) =>
  tableLines(head, rows, fit).map(lineText);

describe("tableLines", () => {
  it("aligns what is wide, what takes no room and what is shown as an escape", () => {
    const rows = ["日本", "e\u0301té", "🚀", "\u001b[2K", "plain"].map((text) => [text, "|"]);
    expect(linesOf(["NAME", "END"], rows)).toEqual([
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
    const lines = linesOf(
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
    expect(linesOf(head, rows)[1]).toContain("Address already in use");
    expect(linesOf(head, rows, { columns: 200 })).toEqual(linesOf(head, rows));
    expect(linesOf(head, rows, { columns: 70 })[1]).toBe(
      "node edge-7 refused listener web  3 h    cannot bind '0.0.0.0:10000':…",
    );
    expect(linesOf(head, rows, { columns: 40 })[1]).toBe("node edge-7 refuse…  3 h    cannot bind…");
    for (const room of [40, 60, 80]) {
      for (const line of linesOf(head, [...rows, ["日本".repeat(20), "1 d", "🚀".repeat(50)]], { columns: room })) {
        const wide = line.match(/[日本🚀]/gu)?.length ?? 0;
        expect(Array.from(line).length + wide).toBeLessThanOrEqual(room);
      }
    }
  });

  it("gives no cell the gap that parts columns, nor blanks to reach the next line of the terminal", () => {
    const [, line = ""] = linesOf(["NODE", "CDS"], [[`a${" ".repeat(80)}b  ack`, "REFUSED"]]);
    expect(line.split(/ {2,}/)).toEqual([expect.stringMatching(/^a (\\x20){79}b \\x20ack$/), "REFUSED"]);
  });

  it("spares columns, in the order that is given, before the last one has no room to say why", () => {
    const head = ["NAME", "WEIGHT", "LOCALITY", "ELIGIBLE", "WHY"];
    const rows = [["shop/shop-1", "1", "eu/eu-1a", "no", "prober: HTTP 503, three times in a row since ten o'clock"]];
    const spare = ["LOCALITY", "WEIGHT"];
    const heads = (room: number) => linesOf(head, rows, { columns: room, spare })[0]?.split(/ +/);
    expect(heads(80)).toEqual(head);
    expect(heads(60)).toEqual(["NAME", "WEIGHT", "ELIGIBLE", "WHY"]);
    expect(heads(50)).toEqual(["NAME", "ELIGIBLE", "WHY"]);
    expect(linesOf(head, rows, { columns: 50, spare })[1]).toBe("shop/shop-1  no        prober: HTTP 503, three ti…");
    expect(linesOf(head, [["a", "1", "-", "yes", "-"]], { columns: 40, spare })[0]?.split(/ +/)).toEqual(head);
  });

  it("keeps what cells mean, which takes no room", () => {
    const rows = [
      ["a", toned("bad", "no"), "x"],
      ["b", "yes", "x"],
    ] as const;
    const [head, ...lines] = tableLines(["NAME", "ELIGIBLE", "WHY"], rows, { columns: 40 });
    expect(head).toContainEqual(toned("head", "ELIGIBLE"));
    expect(lines).toEqual([["a", "     ", toned("bad", "no"), "        ", "x"], "b     yes       x"]);
  });
});
