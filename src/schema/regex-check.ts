import { RE2JS } from "re2js";
import { MAX_REGEX_LENGTH, MAX_REGEX_PROGRAM_SIZE } from "../domain/limits.ts";
import type { Instruction } from "../domain/regex-overlap.ts";
import type { Report } from "./field-checks.ts";
import { reportNever } from "./http-checks.ts";

/** Envoy 1.36 reads a regular expression as characters, 1.40 as bytes: only ASCII means the same to both. */
export const REGEX_CHARACTERS = /^[\x20-\x7e]*$/;

/**
 * Refuses what the proxies' RE2 would refuse: one bad expression costs them the whole configuration that it came in. On
 * writes, also refuses a good one that matches nothing. An empty or overlong one is no good `REGEX`, and is not looked at.
 */
export function checkRegex(
  report: Report,
  field: string,
  regex: string,
  whyNever: (regex: string) => string | undefined = () => undefined,
): void {
  if (regex === "" || regex.length > MAX_REGEX_LENGTH) return;
  if (!REGEX_CHARACTERS.test(regex))
    report(field, "must have only printable ASCII characters; write others as `\\xHH`");
  try {
    const size = programSize(RE2JS.compile(regex));
    if (size > MAX_REGEX_PROGRAM_SIZE) {
      report(
        field,
        `must have at most ${MAX_REGEX_PROGRAM_SIZE} instructions in RE2, the most that proxies take, not ${size}`,
      );
    } else {
      reportNever(report, field, regex, () => whyNever(regex));
    }
  } catch (error) {
    report(
      field,
      `must be a regular expression that RE2 accepts: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** The instructions that RE2 adds to every program. */
const FRAME = 2;
const LAST_RUNE = 0x10ffff;

/**
 * An upper bound for the program size in Envoy's RE2. This library has one instruction for a class of characters where RE2
 * has one for each range of bytes; to Envoy 1.36, characters beyond ASCII are several bytes.
 */
function programSize(regex: RE2JS): number {
  const { inst }: { inst: readonly Instruction[] } = regex.re2().prog;
  return inst.reduce((sum, instruction) => sum + ranges(instruction), FRAME);
}

function ranges({ runes, arg }: Pick<Instruction, "runes" | "arg">): number {
  // `K` and `S` have a third form beyond ASCII: the Kelvin sign and the long s.
  if (runes.length < 2) return arg === 1 && /[ks]/i.test(String.fromCodePoint(runes[0] ?? 0)) ? 4 : 1;
  let size = 0;
  for (let i = 1; i < runes.length; i += 2) {
    const last = runes[i] ?? 0;
    size += last < 0x80 ? 1 : last === LAST_RUNE ? 8 : 4;
  }
  return size;
}
