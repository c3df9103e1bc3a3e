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
])("%j is shown as %s", (text, shown) => {
  expect(printable(text)).toBe(shown);
});

test("whatever comes in, what comes out stays on one line and moves nothing", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(printable(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
    }),
  );
});

test("what was cut is said", () => {
  expect(printableStart("x".repeat(2000), 3)).toBe("xxx… (2,000 characters)");
  expect(printableStart("xy", 3)).toBe("xy");
});
