import { status } from "@grpc/grpc-js";

const OTHER = "give another address with --server HOST:PORT or FAIRLEAD_SERVER";
const START = `start one with \`fairlead up\`, or ${OTHER}`;
const UNIMPLEMENTED: number = status.UNIMPLEMENTED;
const NOT_ADMIN = "its admin API is on port 18001 unless --admin says otherwise";

/** Why no plane answers, and what a person can do about it; the first one that fits counts. */
const CAUSES: readonly [cause: RegExp, why: string, cure: string][] = [
  [/ECONNREFUSED/, "nothing listens there", START],
  [/Name resolution failed|ENOTFOUND|EAI_AGAIN/, "the name does not resolve to an address", OTHER],
  [
    /Protocol error|Parse Error|HPE_|Received HTTP status/i,
    "what listens there is not the admin API of a plane",
    NOT_ADMIN,
  ],
  [
    /Deadline exceeded/,
    "no answer within --request-timeout",
    `it may be overloaded or cut off: try again, or ${OTHER}`,
  ],
];

/**
 * The one line for a plane that cannot be reached: where it was looked for, why that failed, and what to do.
 *
 * `details` is what grpc-js says, which wraps what the socket said: `No connection established. Last error: Error:
 * connect …. Resolution note: …`.
 */
export function unreachableText(server: string, code: number, details: string): string {
  const [why, cure] = reasonOf(code, details);
  return `cannot reach the plane at ${server}: ${why}; ${cure}`;
}

function reasonOf(code: number, details: string): readonly [why: string, cure: string] {
  if (code === UNIMPLEMENTED) {
    return [
      "what answers there does not know this command",
      `${NOT_ADMIN}, and a plane may be older than this program`,
    ];
  }
  for (const [cause, why, cure] of CAUSES) {
    if (cause.test(details)) return [why, cure];
  }
  const said = /Last error: (?:Error: )?(.*?)\.? Resolution note/s.exec(details)?.[1] ?? details;
  const [line = ""] = said.split("\n", 1);
  return [line.replace(/ \(\d{4}-[^)]*Z\)$/, ""), START];
}
