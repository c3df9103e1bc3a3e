import { AdminError } from "./admin-error.ts";
import type { CliContext } from "./io.ts";
import { printLine } from "./io.ts";

export interface MissingFlags {
  readonly ignoreMissing?: true;
}

/** The answer; nothing when the object is not there and that is fine, which is said. */
export async function unlessMissing<T>(
  { io, outcome }: CliContext,
  { ignoreMissing }: MissingFlags,
  asking: Promise<T>,
): Promise<T | undefined> {
  try {
    return await asking;
  } catch (error) {
    if (ignoreMissing !== true || !(error instanceof AdminError) || !error.isNotFound) throw error;
    printLine(io, `  ${error.message}: nothing to do`);
    outcome.put({ revision: "", missing: true });
    return undefined;
  }
}
