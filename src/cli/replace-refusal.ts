import { AdminError } from "./admin-error.ts";
import { CliFailure, exitCodeOf, NOTHING_CHANGED } from "./exit.ts";

/** Waits for a replacement of the whole state; a refusal says that nothing was changed, where that is known. */
export async function refusedBy<T>(replacing: Promise<T>): Promise<T> {
  try {
    return await replacing;
  } catch (error) {
    if (!(error instanceof AdminError) || error.isUnreachable || error.violations.length > 0) throw error;
    const end = error.reason === "OUTCOME_UNKNOWN" ? [] : [NOTHING_CHANGED];
    throw new CliFailure(exitCodeOf(error), [`refused: ${error.message}`, ...end], { cause: error });
  }
}
