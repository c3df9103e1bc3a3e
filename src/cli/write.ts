import { AdminError } from "./admin-error.ts";
import { type CliContext, printLine } from "./io.ts";
import type { WriteFlags } from "./options.ts";
import { NEWEST_REVISION, printWait } from "./wait.ts";

/** Ends a write whose answer is printed: a dry run says whether anything would change, and `--wait` waits for the proxies. */
export async function endWrite(
  context: CliContext,
  flags: WriteFlags,
  { revision, hasChanges = true }: { readonly revision: string; readonly hasChanges?: boolean },
): Promise<void> {
  context.outcome.endDryRun(flags, hasChanges);
  if (flags.wait === true && flags.dryRun !== true) await printWait(context, revision, flags);
}

export interface MissingFlags extends WriteFlags {
  readonly ignoreMissing?: true;
}

/**
 * The answer; undefined when the object does not exist and `--ignore-missing` allows that, which is printed. This may be the
 * retry of a removal whose wait for the proxies failed, so `--wait` waits for everything written until now.
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
