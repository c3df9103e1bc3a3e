import { status } from "@grpc/grpc-js";
import type { AdminError } from "./admin-error.ts";

/** What a script can tell from the exit code. */
export const EXIT = {
  done: 0,
  /** Refused by the plane, or failed; for a change: nothing was changed unless the message says otherwise. */
  failed: 1,
  usage: 2,
  /** The change is made, but what `--wait` waits for did not come about in time. */
  notReached: 3,
  unreachable: 4,
  /** What the command names is not there. */
  notThere: 5,
  /** Nothing is wrong with the request: others were first, or the plane cannot serve it now. */
  tryAgain: 6,
  /** Only with `--detailed-exitcode`: the dry run would change something. */
  hasChanges: 10,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** By the status of a refusal that is the plane's own; all others are `failed`. */
const BY_STATUS: Readonly<Partial<Record<number, ExitCode>>> = {
  [status.NOT_FOUND]: EXIT.notThere,
  [status.ABORTED]: EXIT.tryAgain,
  [status.UNAVAILABLE]: EXIT.tryAgain,
  [status.DEADLINE_EXCEEDED]: EXIT.tryAgain,
};
/** Reasons that tell more than their status: limits that are met by what else goes on, and what no other try mends. */
const BY_REASON: Readonly<Partial<Record<string, ExitCode>>> = {
  TOO_MANY_CALLS: EXIT.tryAgain,
  TOO_MANY_REQUEST_BYTES: EXIT.tryAgain,
  READER_TOO_SLOW: EXIT.tryAgain,
  REQUEST_TOO_SLOW: EXIT.tryAgain,
  UPLOAD_TOO_SLOW: EXIT.tryAgain,
  STORE_REPLACED: EXIT.failed,
};

/** The one place that turns what the plane answered, or that it did not answer, into an exit code. */
export function exitCodeOf(error: AdminError): ExitCode {
  if (error.isUnreachable) return EXIT.unreachable;
  return BY_REASON[error.reason] ?? BY_STATUS[error.code] ?? EXIT.failed;
}

/** The last line of a refusal of something that is done as a whole or not at all. */
export const NOTHING_CHANGED = "nothing was changed";

/** Ends the command with a code and a message for standard error; a list is a message of so many lines. */
export class CliFailure extends Error {
  readonly exitCode: ExitCode;
  readonly lines: readonly string[];

  constructor(exitCode: ExitCode, message: string | readonly string[], options?: ErrorOptions) {
    const lines = typeof message === "string" ? [message] : message;
    super(lines.join("\n"), options);
    this.name = "CliFailure";
    this.exitCode = exitCode;
    this.lines = lines;
  }
}
