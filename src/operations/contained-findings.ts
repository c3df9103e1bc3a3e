import { printableStart } from "../domain/printable.ts";
import type { Contained } from "../runtime/containment.ts";
import type { Finding } from "./finding.ts";

/** A contained failure is listed for this long after the last of its source. */
const LISTED_MS = 3_600_000;
const MAX_INPUT_LENGTH = 120;
const MAX_MESSAGE_LENGTH = 300;

/** Inputs that failed lately and harmed nothing else, for people on call: each is a fault of the product, and is to be reported. */
export function containedFindings(failures: readonly Contained[], now: number): Finding[] {
  return failures
    .filter(({ at }) => now - at < LISTED_MS)
    .map(({ source, input, message, count, at }) => ({
      what: `${source} input failed: ${printableStart(input, MAX_INPUT_LENGTH)}`,
      since: at,
      why: `${printableStart(message, MAX_MESSAGE_LENGTH)}; contained, ${count} since the plane started`,
    }));
}
