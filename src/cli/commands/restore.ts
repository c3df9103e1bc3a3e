import { Command } from "commander";
import { AdminService } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { checkBackup, readBackup } from "../backup-file.ts";
import { CliFailure, EXIT } from "../exit.ts";
import { type CliContext, printLine } from "../io.ts";
import { refusedBy } from "../replace-refusal.ts";
import { summaryText } from "./backup.ts";

interface RestoreFlags {
  readonly dryRun?: true;
  readonly replace?: true;
  readonly reason?: string;
}

export function restoreCommand(context: CliContext): Command {
  return new Command("restore")
    .description("Make the plane's store hold what a backup holds, and nothing else")
    .argument("<file>", "made by fairlead backup")
    .option("--dry-run", "check that the file is whole and say what is in it; asks nothing of the plane")
    .option("--replace", "replace a state that has objects")
    .option("--reason <text>", "why, for the journal")
    .addHelpText(
      "after",
      `
All of it in one step: until then the plane serves what it has. It begins a new epoch, so that versions and revisions of
before count no more; every replica follows by itself, and proxies are sent only what differs.

Examples:
  fairlead restore --dry-run fairlead.backup
  fairlead restore fairlead.backup                  # into a plane that is empty
  fairlead restore --replace fairlead.backup        # into one that is not`,
    )
    .action((file: string, flags: RestoreFlags) => restore(context, file, flags));
}

async function restore(context: CliContext, file: string, flags: RestoreFlags): Promise<void> {
  const summary = await checkBackup(file);
  if (flags.dryRun === true) {
    printLine(context.io, `  whole: ${summaryText(summary)}`);
    return;
  }
  const requests = async function* () {
    yield { options: { reason: flags.reason ?? "", replace: flags.replace === true } };
    for await (const records of readBackup(file)) yield { records: [...records] };
  };
  const { revision, restored } = await refusedBy(context.admin().upload(AdminService.method.restore, requests()));
  if (restored === undefined) throw new CliFailure(EXIT.failed, "the plane does not say what it restored");
  printLine(context.io, `  restored ${summaryText(summary)}`);
  printLine(context.io, `  a new epoch has begun, at revision ${revision}`);
}
