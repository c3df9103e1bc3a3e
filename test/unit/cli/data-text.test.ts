import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse, parseDocument, Scalar, visit } from "yaml";
import { yamlText } from "../../../src/cli/data-text.ts";

/** What a reader of YAML 1.1 takes for something else than text: https://yaml.org/type/. */
const YAML_1_1 = {
  bool: /^(?:y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/,
  null: /^(?:~|null|Null|NULL|)$/,
  int: /^[-+]?(?:0b[01_]+|0[0-7_]*|[1-9][0-9_]*|0x[0-9a-fA-F_]+|[1-9][0-9_]*(?::[0-5]?[0-9])+)$/,
  float:
    /^[-+]?(?:(?:[0-9][0-9_]*)?\.[0-9_]*(?:[eE][-+][0-9]+)?|[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|\.(?:inf|Inf|INF))$|^\.(?:nan|NaN|NAN)$/,
  timestamp:
    /^\d{4}-\d\d-\d\d$|^\d{4}-\d\d?-\d\d?(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::\d\d)?))?$/,
  merge: /^<<$/,
  value: /^=$/,
} as const;

/** Words, numbers and times of all kinds, and what comes of changing a letter in them. */
const lookalike = fc.oneof(
  fc.constantFrom("y", "No", "oN", "OFF", "~", "Null", "", "=", "<<", ".inf", "-.INF", ".NaN", "0o17", "0777", "08"),
  fc.constantFrom(
    "1:30",
    "190:20:30.15",
    "1_000",
    "0b1_0",
    "0x1F",
    "+1",
    ".5",
    "1.",
    "1e3",
    "6.8523015e+5",
    "2026-11-20",
  ),
  fc.constantFrom("2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43.10 -5", "12:30:45", "10.0.0.1:80", "1.40.0"),
  fc.string({ unit: fc.constantFrom(...Array.from("01289_.:-+eExobyYnNtTZ=<~ ")), minLength: 1, maxLength: 6 }),
);

describe("YAML that is printed", () => {
  test("is read alike by readers of YAML 1.1 and 1.2, as text in keys and values", () => {
    fc.assert(
      fc.property(lookalike, lookalike, (key, value) => {
        const object = { [key]: value, list: [value], nested: { [value]: key } };
        const text = yamlText(object);
        expect(parse(text)).toEqual(object);
        visit(parseDocument(text), {
          Scalar: (_, { type, source = "" }) => {
            if (type !== Scalar.PLAIN) return;
            const taken = Object.entries(YAML_1_1).filter(([, pattern]) => pattern.test(source));
            expect({ source, taken: taken.map(([kind]) => kind) }).toEqual({ source, taken: [] });
          },
        });
      }),
      { numRuns: 500 },
    );
  });

  test("has numbers that both take for the same numbers", () => {
    const numbers = fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Object.is(number, -0));
    fc.assert(
      fc.property(fc.oneof(numbers, fc.constantFrom(1e21, 1e-7, -2e300, 5e-324)), (number) => {
        const written = yamlText({ number }).replace("number: ", "").trim();
        expect(Number(written)).toBe(number);
        expect(parse(yamlText({ number }))).toEqual({ number });
        expect(YAML_1_1.int.test(written) || YAML_1_1.float.test(written)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
