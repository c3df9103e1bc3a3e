import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { displayWidth } from "../../../src/cli/display-width.ts";
import { screenLines } from "../../../src/cli/io.ts";
import { lineText, toned } from "../../../src/cli/line.ts";
import { wrapped } from "../../../src/cli/wrapped.ts";
import { runAgainst } from "./fake-plane.ts";

const texts = (line: Parameters<typeof wrapped>[0], columns: number) => wrapped(line, columns).map(lineText);

describe("a line that is wider than the terminal", () => {
  it("goes on beneath where its last column begins, further in than any line begins", () => {
    expect(texts("  proxies    12 connected, 11 up to date, 1 refused something", 40)).toEqual([
      "  proxies    12 connected, 11 up to",
      "               date, 1 refused something",
    ]);
    expect(texts("                 edge-7 refused: cannot bind it", 40)).toEqual([
      "                 edge-7 refused: cannot",
      "                   bind it",
    ]);
    expect(texts("no column, only words, and a_word_that_is_longer_than_it", 20)).toEqual([
      "no column, only",
      "  words, and",
      "  a_word_that_is_lon",
      "  ger_than_it",
    ]);
  });

  it("of a megabyte takes no longer than its length asks for", () => {
    const startedAt = performance.now();
    expect(texts(`  why  ${"日本 ".repeat(300_000)}`, 60).length).toBeGreaterThan(10_000);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  it("fits the window as it is by then", async () => {
    let columns = 200;
    const answers = {
      GetStatus: () => {
        columns = 40;
        return { store: "embedded", replica: "plane-a", version: "0.1.0", revision: "1.8812" };
      },
    };
    const window = {
      isTty: true,
      get columns() {
        return columns;
      },
    };
    const { stdout } = await runAgainst(answers, ["status"], window);
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(40);
  });

  it("keeps its words and what they mean, in lines that fit, whatever is in it", () => {
    const piece = fc
      .tuple(fc.string({ unit: "grapheme" }), fc.constantFrom("bad", "good", undefined))
      .map(([text, tone]) => (tone === undefined ? text : toned(tone, text)));
    fc.assert(
      fc.property(fc.array(piece), fc.integer({ min: 8, max: 90 }), fc.boolean(), (line, columns, stdout) => {
        const io = { columns, colors: { stdout, stderr: false } } as Parameters<typeof screenLines>[0];
        const whole = screenLines({ ...io, columns: undefined, colors: { stdout: false, stderr: false } }, [line]);
        const shown = screenLines(io, [line]).map((each) => stripVTControlCharacters(each));
        for (const each of shown) expect(displayWidth(each)).toBeLessThanOrEqual(columns);
        expect(shown.join("").replaceAll(" ", "")).toBe(whole.join("").replaceAll(" ", ""));
      }),
    );
  });
});
