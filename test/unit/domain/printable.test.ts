import fc from "fast-check";
import { expect, test } from "vitest";
import { printable, printableStart } from "../../../src/domain/printable.ts";

test.each([
  ["plain, größer, 日本, 🚀", "plain, größer, 日本, 🚀"],
  ["a\nb\tc\r", "a\\nb\\tc\\r"],
  ["\u001b[31m", "\\x1b[31m"],
  ["\u202eevil", "\\u202eevil"],
  ["\u0085\u2028", "\\x85\\u2028"],
  ["\ud800", "\\ud800"],
  ["\u{e0001}", "\\u{e0001}"],
  ["a\u00a0b\u3000c\u2800", "a\\xa0b\\u3000c\\u2800"],
  ["\u3164\ufe0f\u034f", "\\u3164\\ufe0f\\u034f"],
  [`e${"\u0301".repeat(6)}`, `e${"\u0301".repeat(4)}\\u0301\\u0301`],
])("%j is shown as %s", (text, shown) => {
  expect(printable(text)).toBe(shown);
});

test("whatever comes in, what comes out stays on one line and moves nothing", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const shown = printable(text);
      expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{DI}]|(?! )\p{Zs}/u);
      expect(printable(shown)).toBe(shown);
    }),
  );
});

test("what was cut is said", () => {
  expect(printableStart("x".repeat(2000), 3)).toBe("xxx… (2,000 characters)");
  expect(printableStart("xy", 3)).toBe("xy");
});
