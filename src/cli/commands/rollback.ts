import { Command } from "commander";
import { AdminService } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import type { Change, Reach } from "../../gen/fairlead/admin/v1/apply_pb.ts";
import { changeLines, renderCounts, renderReach } from "../change-text.ts";
import { CliFailure, EXIT } from "../exit.ts";
import { type CliContext, printLine, printLines } from "../io.ts";
import { kindNamed } from "../kinds.ts";
import { type WaitFlags, waitOptions, wholeNumber } from "../options.ts";
import { printWait } from "../wait.ts";

interface RollbackFlags extends WaitFlags {
  readonly to?: number;
  readonly revision?: string;
  readonly dryRun?: true;
  readonly allowRemoval?: true;
  readonly reason?: string;
}

/** What a rollback did, or would do. */
interface Outcome {
  readonly changes: readonly Change[];
  readonly reach: readonly Reach[];
  /** Empty when nothing changed, or would. */
  readonly revision: string;
}

export function rollbackCommand(context: CliContext): Command {
  const command = new Command("rollback")
    .description(
      "Write an earlier content again, of an object or of all that one commit wrote; a deleted object comes back",
    )
    .argument("[kind]", "service, policy, listener, route or fleet")
    .argument("[name]")
    .option("--to <generation>", "the generation to write again; `history` lists them", wholeNumber)
    .option("--revision <revision>", "take back this whole commit; `history` and the write's answer tell it")
    .option("--dry-run", "show the difference and write nothing")
    .option("--allow-removal", "with --revision: also remove many objects, or such that others refer to")
    .option("--reason <text>", "why, for the journal")
    .addHelpText(
      "after",
      `
Backends and verdicts have no history: what a commit did to them is not taken back.

Examples:
  fairlead rollback route shop --to 17 --dry-run
  fairlead rollback route shop --to 17 --wait
  fairlead rollback --revision 1.8812 --reason "checkout broke"`,
    )
    .action((kind: string | undefined, name: string | undefined, flags: RollbackFlags) =>
      rollback(context, kind, name, flags),
    );
  for (const option of waitOptions("return when the proxies have acknowledged it")) command.addOption(option);
  return command;
}

async function rollback(
  context: CliContext,
  kind: string | undefined,
  name: string | undefined,
  flags: RollbackFlags,
): Promise<void> {
  const { io } = context;
  const outcome = await outcomeOf(context, kind, name, flags);
  printLines(io, changeLines(outcome.changes));
  if (flags.dryRun === true) {
    printLines(io, outcome.reach.map(renderReach));
    printLine(io, `${renderCounts(outcome.changes)} Nothing is written.`);
    return;
  }
  const { revision } = outcome;
  printLine(
    io,
    revision === "" ? renderCounts(outcome.changes) : `${renderCounts(outcome.changes)} revision ${revision}`,
  );
  if (flags.wait === true) await printWait(context, revision, flags);
}

async function outcomeOf(
  context: CliContext,
  kind: string | undefined,
  name: string | undefined,
  { to, revision: taken, dryRun, allowRemoval, reason = "" }: RollbackFlags,
): Promise<Outcome> {
  const options = { reason, validateOnly: dryRun === true };
  if (taken !== undefined) {
    if (kind !== undefined || to !== undefined) {
      throw new CliFailure(
        EXIT.usage,
        "--revision takes back a whole commit: name no object and no generation with it",
      );
    }
    const request = { revision: taken, allowRemoval: allowRemoval === true, options };
    return await context.admin().call(AdminService.method.rollbackRevision, request);
  }
  if (kind === undefined || name === undefined || to === undefined) {
    throw new CliFailure(EXIT.usage, "name an object and its generation, KIND NAME --to GENERATION, or a --revision");
  }
  const entry = kindNamed(kind);
  const answer = await context
    .admin()
    .call(AdminService.method.rollback, { kind: entry.kind, name, toGeneration: BigInt(to), options });
  return { changes: answer.change === undefined ? [] : [answer.change], reach: [], revision: answer.revision };
}
