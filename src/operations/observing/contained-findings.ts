import { printableStart } from "../../domain/printable.ts";
import { type Contained, PAUSE_MS } from "../../runtime/containment.ts";
import type { Finding } from "./finding.ts";

const MAX_INPUT_LENGTH = 120;
const MAX_MESSAGE_LENGTH = 300;

/** Inputs that failed lately and harmed nothing else, for people on call: each is a bug of the product and should be reported. */
export function containedFindings(failures: readonly Contained[], now: number): Finding[] {
  return failures
    .filter(({ at }) => now - at < PAUSE_MS)
    .map(({ source, input, message, count, since }) => ({
      what: `${source} input failed: ${printableStart(input, MAX_INPUT_LENGTH)}`,
      since,
      why: `${printableStart(message, MAX_MESSAGE_LENGTH)}; contained; count since the plane started: ${count}`,
    }));
}
