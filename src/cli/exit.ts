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

/** Ends the command with a code and a message for standard error. */
export class CliFailure extends Error {
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "CliFailure";
    this.exitCode = exitCode;
  }
}
