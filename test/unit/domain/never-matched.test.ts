import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  whyHeaderNeverMatched,
  whyMethodNeverMatched,
  whyPathNeverMatched,
  whyRegexNeverMatched,
  whyRuleNeverMatches,
  whyValueNeverMatched,
} from "../../../src/domain/never-matched.ts";

describe("a path", () => {
  test.each([
    ["/%7Ejoe", "`/~joe`"],
    ["/%7ejoe", "`/~joe`"],
    ["/a%2Db", "`/a-b`"],
    ["/{id}", "`/%7Bid%7D`"],
    ["/a|b", "`/a%7Cb`"],
    ["/a\\b", "`/a/b`"],
    ["/a%2Fb", "`/a/b`"],
    ["/a%2f%2e%2E/b", "`/b`"],
    ["/a%5Cb", "`/a/b`"],
    ["/%00", "refuse"],
    ["/a/..;x/b", "`/b`"],
    ["/a/.;", "`/a/`"],
    ["/caf%c3%a9", "`/caf%C3%A9`"],
  ])("%s is never matched, and %s is said of it", (path, said) => {
    expect(whyPathNeverMatched(path)).toContain(said);
  });

  test.each(["/", "/api", "/api/", "/~joe", "/caf%C3%A9", "/a%20b", "/%7B%7D", "/a;b", "/...", "/%252F", "/%", "/%zz"])(
    "%s is matched",
    (path) => {
      expect(whyPathNeverMatched(path)).toBeUndefined();
    },
  );

  test("that an error gives instead is taken, whatever was refused", () => {
    const pieces = fc.constantFrom(
      "/",
      "a",
      "%7E",
      "%2E",
      ".",
      "..",
      ";",
      "%C3",
      "%c3",
      "{",
      "\\",
      "%25",
      "%",
      "4",
      "|",
      "%2f",
    );
    fc.assert(
      fc.property(fc.array(pieces), (parts) => {
        const why = whyPathNeverMatched(`/${parts.join("")}`);
        const instead = /`(\/[^`]*)`/.exec(why ?? "")?.[1];
        if (instead === undefined || /%00|%(2f|5c)/i.test(instead)) return;
        const again = whyPathNeverMatched(instead);
        expect(again === undefined || /upper case|make/.test(again)).toBe(true);
        // One that is in its normal form but for the case of its escapes is one step from being taken.
        if (again?.startsWith("write escapes"))
          expect(whyPathNeverMatched(/`([^`]*)`/.exec(again)?.[1] ?? "")).toBeUndefined();
      }),
    );
  });
});

test.each([
  ["x_user", false],
  ["keep-alive", false],
  ["x-envoy-retry-on", false],
  ["x-user", true],
  ["x-envoy-anything-else", true],
  [":path", true],
])("whether a header %s is ever there: %s", (name, there) => {
  expect(whyHeaderNeverMatched(name) === undefined).toBe(there);
});

test.each([
  ["exact", "a b", true],
  ["exact", " a", false],
  ["exact", "a\t", false],
  ["exact", "a\nb", false],
  ["prefix", "a ", true],
  ["prefix", " a", false],
  ["suffix", " a", true],
  ["suffix", "a ", false],
  ["contains", " a ", true],
  ["contains", "a\u007f", false],
  ["present", "", true],
  ["regex", "a b", true],
  ["regex", "( a|b\\t)", false],
  ["regex", "a\\x00.*", false],
] as const)("whether a header can meet %s %j: %s", (kind, value, can) => {
  expect(whyValueNeverMatched({ name: "x-a", kind, value, invert: false }) === undefined).toBe(can);
});

test.each([
  [":method", "CONNECT", false],
  [":method", "GET", true],
  [":path", "/a%2Fb?c=%2F", false],
  [":path", "/a?c=%2F", true],
] as const)("whether %s can be %s: %s", (name, value, can) => {
  expect(whyValueNeverMatched({ name, kind: "exact", value, invert: false }) === undefined).toBe(can);
});

test.each([
  ["/.*%2F.*", true],
  ["/[^?]*%2F.*", false],
  ["/(%7E|\\{id\\}).*", false],
  ["/a\\?b=(%7E| )", true],
])("whether :path can meet the regex %s: %s", (value, can) => {
  expect(whyValueNeverMatched({ name: ":path", kind: "regex", value, invert: false }) === undefined).toBe(can);
});

test.each([
  ["api/.*", false],
  ["/.*%7E.*", false],
  ["/a%2f.*", false],
  ["/.*", true],
  [".*", true],
  ["a?/b", true],
  ["/(%7E|~)joe", true],
  ["/(%7E|%2D)joe", false],
  ["(api|v[12])/.*", false],
  ["(?:/a)?b", true],
  ["(?i)/%7e.*", false],
  ["/[%7E]*", true],
  ["/.*[{}].*", false],
  ["/v[0-9]+/{id}", false],
  ["/a b", false],
  ["/a\\?b=c", false],
  ["/a//b", false],
  ["/+", true],
  ["/a/(\\.|\\.\\.)(/.*)?", false],
  ["/a/\\.{3}", true],
  ["/caf\\xe9", false],
  ["/%C3%A9", true],
  ["/%c3%a9", true],
  ["(", true],
])("whether a path can meet the regex %s: %s", (regex, can) => {
  expect(whyRegexNeverMatched(regex) === undefined).toBe(can);
});

test("a rule says of each part why it is never met, and nothing of a part that is turned around or one of several", () => {
  const header = { name: "x_a", kind: "present", value: "", invert: false } as const;
  const path = { kind: "exact", path: "/%7E" } as const;
  expect(whyRuleNeverMatches({ path, headers: [header], methods: ["CONNECT"] })).toHaveLength(3);
  const fine = { kind: "prefix", path: "/" } as const;
  const turned = { ...header, invert: true };
  expect(whyRuleNeverMatches({ path: fine, headers: [turned], methods: ["CONNECT", "GET"] })).toEqual([]);
  expect(whyMethodNeverMatched("GET")).toBeUndefined();
});
