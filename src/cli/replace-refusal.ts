import { AdminError } from "./admin-error.ts";
import { CliFailure, EXIT, NOTHING_CHANGED } from "./exit.ts";

const CURE: Readonly<Record<string, string>> = {
  STATE_NOT_EMPTY: "Repeat with --replace if that is meant.",
  BACKUP_RECORD_UNREADABLE: "Repeat with --leave-out-unreadable if the rest is meant.",
  REMOVAL_TOO_LARGE: "Repeat with --allow-removal if that is meant.",
};

/** Waits for a replacement of the whole state; says what to do about a refusal, in the words of the command line. */
export async function refusedBy<T>(replacing: Promise<T>): Promise<T> {
  try {
    return await replacing;
  } catch (error) {
    if (!(error instanceof AdminError) || error.isUnreachable || error.violations.length > 0) throw error;
    const end = error.reason === "OUTCOME_UNKNOWN" ? [] : [CURE[error.reason] ?? NOTHING_CHANGED];
    throw new CliFailure(EXIT.failed, [`refused: ${error.message}`, ...end], { cause: error });
  }
}
