import { AdminError } from "./admin-error.ts";
import type { CliContext } from "./io.ts";
import { printLine } from "./io.ts";
import type { WaitFlags, WriteFlags } from "./options.ts";
import { NEWEST_REVISION, printWait } from "./wait.ts";

export interface MissingFlags extends WaitFlags, WriteFlags {
  readonly ignoreMissing?: true;
}

/**
 * The answer; nothing when the object is not there and that is fine, which is said. Who removed it may have waited for the
 * proxies in vain, and this be the next try: `--wait` waits for all that was written until now.
 */
export async function unlessMissing<T>(
  context: CliContext,
  flags: MissingFlags,
  asking: Promise<T>,
): Promise<T | undefined> {
  try {
    return await asking;
  } catch (error) {
    if (flags.ignoreMissing !== true || !(error instanceof AdminError) || !error.isNotFound) throw error;
    printLine(context.io, `  ${error.message}: nothing to do`);
    context.outcome.put({ revision: "", missing: true });
  }
  if (flags.wait === true && flags.dryRun !== true) await printWait(context, NEWEST_REVISION, flags);
  return undefined;
}
