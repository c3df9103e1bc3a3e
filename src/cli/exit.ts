import { status } from "@grpc/grpc-js";
import { exitOf } from "../api/error-table.ts";
import type { AdminError } from "./admin-error.ts";

/** What a script can tell from the exit code. */
export const EXIT = {
  done: 0,
  /** Refused by the plane, or failed; for a change: nothing was changed unless the message says otherwise. */
  failed: 1,
  usage: 2,
  /** The change is made, but what `--wait` waits for did not happen in time. */
  notReached: 3,
  unreachable: 4,
  /** What the command names does not exist. */
  notThere: 5,
  /** The request is fine, but another one came first, or the plane cannot serve it now. */
  tryAgain: 6,
  /** Only with `--detailed-exitcode`: the dry run would change something. */
  hasChanges: 10,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The one place that turns the plane's error, or its silence, into an exit code. */
export function exitCodeOf(error: AdminError): ExitCode {
  if (error.isUnreachable) return EXIT.unreachable;
  return EXIT[exitOf(status[error.code], error.reason)];
}

/** The last line of the error of an operation that is done completely or not at all. */
export const NOTHING_CHANGED = "nothing was changed";

/** Ends the command with a code and a message for standard error; a list is a message of several lines. */
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

/** Refuses a command line that makes no sense. */
export function wrongUsage(message: string | readonly string[]): CliFailure {
  return new CliFailure(EXIT.usage, message);
}

/** Refuses, on this side, an operation that is done completely or not at all. */
export function refusedWhole(lines: readonly string[], cause?: unknown): CliFailure {
  return new CliFailure(EXIT.failed, [...lines, NOTHING_CHANGED], { cause });
}
