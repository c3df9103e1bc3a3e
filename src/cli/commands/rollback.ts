import { Command } from "commander";
import { AdminService, RollbackResponseSchema } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { type ApplyResponse, ApplyResponseSchema } from "../../gen/fairlead/admin/v1/apply_pb.ts";
import { hasChanges, summaryLines } from "../change-text.ts";
import { wrongUsage } from "../exit.ts";
import { type CliContext, printLines } from "../io.ts";
import { KINDS_WITH_HISTORY } from "../kinds.ts";
import { kindNamed, kindsText, type ObjectReference, objectReference } from "../object-reference.ts";
import { addWriteOptions, type WriteFlags, wholeNumber, writeOptionsOf } from "../options.ts";
import { endWrite } from "../write.ts";

interface RollbackFlags extends WriteFlags {
  readonly to?: number;
  readonly revision?: string;
  readonly allowRemoval?: true;
}

export function rollbackCommand(context: CliContext): Command {
  const command = new Command("rollback")
    .description("Restore an earlier content of an object, even a deleted one, or undo a whole commit")
    .argument("[kind]", `${kindsText(KINDS_WITH_HISTORY)}; also as KIND/NAME`)
    .argument("[name]", "its name")
    .option("--to <generation>", "the generation to restore; `history` lists them", wholeNumber)
    .option("--revision <revision>", "the commit to undo; `history` lists it, and the write printed it")
    .option("--allow-removal", "with --revision: proceed even if many objects are removed, or others refer to them")
    .addHelpText(
      "after",
      `
Backends and verdicts have no history: what a commit did to them is not undone.

Examples:
  fairlead rollback route shop --to 17 --dry-run
  fairlead rollback rt/shop --to 17 --wait
  fairlead rollback --revision 1.8812 --reason "checkout broke"`,
    )
    .action((word: string | undefined, more: string | undefined, flags: RollbackFlags) =>
      rollback(context, word === undefined ? {} : objectReference(word, more), flags),
    );
  return addWriteOptions(command);
}

async function rollback(context: CliContext, object: Partial<ObjectReference>, flags: RollbackFlags): Promise<void> {
  const answer = await send(context, object, flags);
  printLines(context.io, summaryLines(answer, flags));
  await endWrite(context, flags, { revision: answer.revision, hasChanges: hasChanges(answer.changes) });
}

/** What it did, or would do; what that leaves wrong is known only for a whole commit. */
async function send(
  context: CliContext,
  { kind, name }: Partial<ObjectReference>,
  flags: RollbackFlags,
): Promise<Pick<ApplyResponse, "changes" | "conditions" | "reach" | "revision">> {
  const { to, revision: taken } = flags;
  const options = writeOptionsOf(flags);
  if (taken !== undefined) {
    if (kind !== undefined || to !== undefined) {
      throw wrongUsage("--revision undoes a whole commit: leave out the object and --to");
    }
    const request = { revision: taken, allowRemoval: flags.allowRemoval === true, options };
    const answer = await context.admin().call(AdminService.method.rollbackRevision, request);
    context.outcome.putAnswer(ApplyResponseSchema, answer);
    return answer;
  }
  if (kind === undefined || name === undefined || to === undefined) {
    throw wrongUsage("name an object and its generation, KIND NAME --to GENERATION, or a commit, --revision REVISION");
  }
  const request = { kind: kindNamed(kind).kind, name, toGeneration: BigInt(to), options };
  const answer = await context.admin().call(AdminService.method.rollback, request);
  context.outcome.putAnswer(RollbackResponseSchema, answer);
  const { change, revision } = answer;
  return { changes: change === undefined ? [] : [change], reach: [], conditions: [], revision };
}
