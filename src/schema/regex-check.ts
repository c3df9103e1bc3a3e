import { RE2JS } from "re2js";
import { MAX_REGEX_LENGTH, MAX_REGEX_PROGRAM_SIZE } from "../domain/limits.ts";
import { checkLength, type Report } from "./field-checks.ts";

/** Refuses what the proxies' RE2 would refuse: one bad expression costs them the whole configuration it came in. */
export function checkRegex(report: Report, field: string, regex: string): string {
  if (regex === "") report(field, "must not be empty");
  checkLength(report, field, regex, MAX_REGEX_LENGTH);
  if (regex.length > MAX_REGEX_LENGTH) return regex;
  try {
    const size = RE2JS.compile(regex).programSize();
    if (size > MAX_REGEX_PROGRAM_SIZE) {
      report(
        field,
        `is too complex for RE2 (${size} instructions of at most ${MAX_REGEX_PROGRAM_SIZE}); make it simpler`,
      );
    }
  } catch (error) {
    report(field, `RE2 refuses it: ${error instanceof Error ? error.message : String(error)}`);
  }
  return regex;
}
