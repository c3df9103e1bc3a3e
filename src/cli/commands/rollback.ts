import { Command } from "commander";
import { AdminService, RollbackResponseSchema } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import {
  ApplyResponseSchema,
  type Change,
  type ObjectCondition,
  type Reach,
} from "../../gen/fairlead/admin/v1/apply_pb.ts";
import { changeLines, conditionLines, hasChanges, moveLines, renderCounts, renderReach } from "../change-text.ts";
import { CliFailure, EXIT } from "../exit.ts";
import { type CliContext, printLine, printLines } from "../io.ts";
import { KINDS_WITH_HISTORY } from "../kinds.ts";
import { kindNamed, kindsText, type ObjectReference, objectReference } from "../object-reference.ts";
import {
  outputOption,
  type WaitFlags,
  type WriteFlags,
  waitOptions,
  wholeNumber,
  writeOptions,
  writeOptionsOf,
} from "../options.ts";
import { printWait } from "../wait.ts";

interface RollbackFlags extends WaitFlags, WriteFlags {
  readonly to?: number;
  readonly revision?: string;
  readonly allowRemoval?: true;
}

/** What a rollback did, or would do. */
interface Rollback {
  readonly changes: readonly Change[];
  readonly reach: readonly Reach[];
  /** What it leaves wrong; known only for a whole commit. */
  readonly conditions: readonly ObjectCondition[];
  /** Empty when nothing changed or would change. */
  readonly revision: string;
}

export function rollbackCommand(context: CliContext): Command {
  const command = new Command("rollback")
    .description(
      "Write an earlier content again, of an object or of all that one commit wrote; a deleted object comes back",
    )
    .argument("[kind]", `${kindsText(KINDS_WITH_HISTORY)}; also with the name: route/shop`)
    .argument("[name]")
    .option("--to <generation>", "the generation to write again; `history` lists them", wholeNumber)
    .option("--revision <revision>", "take back this whole commit; `history` and the write's answer tell it")
    .option("--allow-removal", "with --revision: also remove many objects, or such that others refer to")
    .addOption(outputOption("table", "json"))
    .addHelpText(
      "after",
      `
Backends and verdicts have no history: what a commit did to them is not taken back.

Examples:
  fairlead rollback route shop --to 17 --dry-run
  fairlead rollback rt/shop --to 17 --wait
  fairlead rollback --revision 1.8812 --reason "checkout broke"`,
    )
    .action((word: string | undefined, more: string | undefined, flags: RollbackFlags) =>
      rollback(context, word === undefined ? {} : objectReference(word, more), flags),
    );
  for (const option of [...writeOptions(), ...waitOptions("return when the proxies have acknowledged it")])
    command.addOption(option);
  return command;
}

async function rollback(context: CliContext, object: Partial<ObjectReference>, flags: RollbackFlags): Promise<void> {
  const { io } = context;
  const { changes, reach, conditions, revision } = await send(context, object, flags);
  printLines(io, [...changeLines(changes), ...conditionLines(conditions)]);
  const counts = renderCounts(changes);
  if (flags.dryRun === true) {
    printLines(io, [...moveLines(reach), ...reach.map(renderReach)]);
    printLine(io, `${counts} Nothing is written.`);
  } else printLine(io, revision === "" ? counts : `${counts} revision ${revision}`);
  context.outcome.endDryRun(flags, hasChanges(changes));
  if (flags.wait === true && flags.dryRun !== true) await printWait(context, revision, flags);
}

async function send(
  context: CliContext,
  { kind, name }: Partial<ObjectReference>,
  flags: RollbackFlags,
): Promise<Rollback> {
  const { to, revision: taken } = flags;
  const options = writeOptionsOf(flags);
  if (taken !== undefined) {
    if (kind !== undefined || to !== undefined) {
      throw new CliFailure(
        EXIT.usage,
        "--revision takes back a whole commit: name no object and no generation with it",
      );
    }
    const request = { revision: taken, allowRemoval: flags.allowRemoval === true, options };
    const answer = await context.admin().call(AdminService.method.rollbackRevision, request);
    context.outcome.putAnswer(ApplyResponseSchema, answer);
    return answer;
  }
  if (kind === undefined || name === undefined || to === undefined) {
    throw new CliFailure(EXIT.usage, "name an object and its generation, KIND NAME --to GENERATION, or a --revision");
  }
  const request = { kind: kindNamed(kind).kind, name, toGeneration: BigInt(to), options };
  const answer = await context.admin().call(AdminService.method.rollback, request);
  context.outcome.putAnswer(RollbackResponseSchema, answer);
  const { change, revision } = answer;
  return { changes: change === undefined ? [] : [change], reach: [], conditions: [], revision };
}
