/** What a script can tell from the exit code. */
export const EXIT = {
  done: 0,
  /** Refused by the plane, or failed; for a change: nothing was changed unless the message says otherwise. */
  failed: 1,
  usage: 2,
  /** The change is made, but what `--wait` waits for did not come about in time. */
  notReached: 3,
  unreachable: 4,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

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
