import { Command } from "commander";
import { AdminService } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { RestoreResponseSchema } from "../../gen/fairlead/admin/v1/archive_pb.ts";
import { checkBackup, readBackup } from "../backup-file.ts";
import { CliFailure, EXIT } from "../exit.ts";
import { type CliContext, printLine } from "../io.ts";
import { addWaitOptions, outputOption, REASON, REPLACE, type WaitFlags } from "../options.ts";
import { refusedAt } from "../refused-at.ts";
import { REPLACING, WITHOUT_PLANE, withStoreOrPlane } from "../store-door.ts";
import { printWait } from "../wait.ts";
import { summaryJson, summaryText } from "./backup.ts";

interface RestoreFlags extends WaitFlags {
  readonly dryRun?: true;
  readonly replace?: true;
  readonly reason?: string;
  readonly leaveOutUnreadable?: true;
}

export function restoreCommand(context: CliContext): Command {
  const command = new Command("restore")
    .description("Replace the content of the store with that of a backup")
    .argument("<file>", "made by fairlead backup")
    .option("--dry-run", "check that the file is whole and show what is in it, without asking the plane")
    .addOption(outputOption())
    .option(...REPLACE)
    .option(...REASON)
    .option("--leave-out-unreadable", "restore a backup without the records that cannot be read, and list those")
    .addHelpText(
      "after",
      `
${REPLACING}

Every record is read and checked first.

${WITHOUT_PLANE}

Examples:
  fairlead restore --dry-run fairlead.backup
  fairlead restore fairlead.backup                  # into a plane that is empty
  fairlead restore --replace fairlead.backup --wait # into one that is not
  fairlead restore --replace fairlead.backup --data /var/lib/fairlead
  fairlead restore --replace fairlead.backup --nats nats://10.0.0.1,nats://10.0.0.2,nats://10.0.0.3`,
    )
    .action((file: string, flags: RestoreFlags, self: Command) => restore(context, file, flags, self));
  addWaitOptions(command);
  return context.store?.addOptions(command) ?? command;
}

async function restore(context: CliContext, file: string, flags: RestoreFlags, command: Command): Promise<void> {
  const summary = await checkBackup(file);
  if (flags.dryRun === true) {
    context.outcome.put({ ...summaryJson(summary), dryRun: true });
    printLine(context.io, `  whole: ${summaryText(summary)}`);
    return;
  }
  const requests = async function* () {
    const leaveOutUnreadable = flags.leaveOutUnreadable === true;
    yield { options: { reason: flags.reason ?? "", replace: flags.replace === true, leaveOutUnreadable } };
    for await (const records of readBackup(file)) yield { records: [...records] };
  };
  await withStoreOrPlane(context, { command, wait: flags.wait }, async (admin) => {
    const answer = await refusedAt([], admin.upload(AdminService.method.restore, requests()));
    if (answer.restored === undefined) throw new CliFailure(EXIT.failed, "the plane does not say what it restored");
    context.outcome.putAnswer(RestoreResponseSchema, answer);
    printLine(context.io, `  restored ${summaryText(summary)}`);
    for (const text of answer.leftOut) printLine(context.io, `  left out: ${text}`);
    printLine(context.io, `  a new epoch has begun, at revision ${answer.revision}`);
    if (flags.wait === true) await printWait(context, answer.revision, flags);
  });
}
