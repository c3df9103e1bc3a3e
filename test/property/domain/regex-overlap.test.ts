import * as fc from "fast-check";
import { RE2JS } from "re2js";
import { expect, test } from "vitest";
import { whyPathNeverMatched } from "../../../src/domain/never-matched.ts";
import { programOf, textInBoth } from "../../../src/domain/regex-overlap.ts";
import { CONTROL_CHARACTER, HEADER_VALUE, MATCHED_PATH, type TextShape } from "../../../src/domain/text-shape.ts";
import { hasText } from "../../support/text-shape.ts";

const LITERALS = ["/", "a", "4", "E", "%", "%7", "%7E", "%2f", "%C3", "~", "\\.", "\\{", ";", " ", "\\?", "é"];
const CLASSES = [".", "[^/]", "[%a-f]", "[\\x00-\\x20]", "(?i:a)", "\\w", "[^a]", "[^\\x00-\\x7f]"];
const { regex } = fc.letrec<{ regex: string }>((tie) => ({
  regex: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    fc.constantFrom(...LITERALS, ...CLASSES),
    fc.array(tie("regex"), { minLength: 1, maxLength: 4 }).map((parts) => parts.join("")),
    fc.array(tie("regex"), { minLength: 2, maxLength: 3 }).map((parts) => `(${parts.join("|")})`),
    fc.tuple(tie("regex"), fc.constantFrom("*", "+", "?", "{2}", "{0,3}", "*?")).map(([of, how]) => `(?:${of})${how}`),
  ),
}));
const text = fc
  .array(fc.constantFrom("/", "a", "4", "E", "%", "7", "%7E", "%C3", "~", ".", ";", "{", " ", "?", "é", "\u0001"))
  .map((parts) => parts.join(""));

/** By the functions that judge whole texts, apart from the shapes. */
const SETS: readonly [string, TextShape, (text: string) => boolean][] = [
  [
    "paths that proxies match",
    MATCHED_PATH,
    (path) => {
      if (!/^\/[!-~]*$/.test(path) || /[?#]/.test(path)) return false;
      if (path === "//") return true;
      // Older ones match `/..;/` as it is, and escapes in any case.
      return whyPathNeverMatched(path.replaceAll(/(?<=\/)\.\.?;/g, "x;").toUpperCase()) === undefined;
    },
  ],
  ["values of headers", HEADER_VALUE, (value) => !CONTROL_CHARACTER.test(value) && !/^[ \t]|[ \t]$/.test(value)],
];

test.each(SETS)("the shape of %s is the set of them", (_, shape, isIn) => {
  fc.assert(
    fc.property(
      fc.oneof(
        text,
        text.map((path) => `/${path}`),
      ),
      (one) => {
        expect(hasText(shape, one)).toBe(isIn(one));
      },
    ),
    { numRuns: 2000 },
  );
});

test.each(SETS)("law: nothing is found only where no text of %s matches, and what is found does", (_, shape) => {
  fc.assert(
    fc.property(
      regex,
      fc.array(
        fc.oneof(
          text,
          text.map((path) => `/${path}`),
        ),
        { minLength: 20 },
      ),
      (pattern, texts) => {
        const found = textInBoth(programOf(pattern) ?? expect.fail(pattern), shape);
        const matching = RE2JS.compile(pattern);
        if (found === undefined) {
          expect(texts.filter((one) => hasText(shape, one) && matching.matches(one))).toEqual([]);
        } else {
          expect([found, hasText(shape, found), matching.matches(found)]).toEqual([found, true, true]);
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test("of what is no expression there is no program", () => {
  expect(programOf("(")).toBeUndefined();
});
