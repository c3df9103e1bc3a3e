import { Command } from "commander";
import { AdminService } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { RestoreResponseSchema } from "../../gen/fairlead/admin/v1/archive_pb.ts";
import { checkBackup, readBackup } from "../backup-file.ts";
import { CliFailure, EXIT } from "../exit.ts";
import { type CliContext, printLine } from "../io.ts";
import { outputOption, type WaitFlags, waitOptions } from "../options.ts";
import { refusedBy } from "../replace-refusal.ts";
import { withStoreOrPlane } from "../store-door.ts";
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
    .description("Make the plane's store hold what a backup holds, and nothing else")
    .argument("<file>", "made by fairlead backup")
    .option("--dry-run", "check that the file is whole and say what is in it; asks nothing of the plane")
    .addOption(outputOption("table", "json"))
    .option("--replace", "replace a state that has objects")
    .option("--reason <text>", "why, for the journal")
    .option("--leave-out-unreadable", "restore the rest of a backup with records that cannot be read, and name those")
    .addHelpText(
      "after",
      `
All of it in one step: until then the plane serves what it has. It begins a new epoch, so that versions and revisions of
before count no more; every replica follows by itself, and proxies are sent only what differs. Every record is read and
checked first.

With --data, --nats or --config it needs no plane: it opens the store itself, also one that no plane can start from, and is
refused while a plane serves from it.

Examples:
  fairlead restore --dry-run fairlead.backup
  fairlead restore fairlead.backup                  # into a plane that is empty
  fairlead restore --replace fairlead.backup --wait # into one that is not
  fairlead restore --replace fairlead.backup --data /var/lib/fairlead
  fairlead restore --replace fairlead.backup --nats nats://10.0.0.1,nats://10.0.0.2,nats://10.0.0.3`,
    )
    .action((file: string, flags: RestoreFlags, self: Command) => restore(context, file, flags, self));
  for (const option of waitOptions("return when the proxies have acknowledged it")) command.addOption(option);
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
    const answer = await refusedBy(admin.upload(AdminService.method.restore, requests()));
    if (answer.restored === undefined) throw new CliFailure(EXIT.failed, "the plane does not say what it restored");
    context.outcome.putAnswer(RestoreResponseSchema, answer);
    printLine(context.io, `  restored ${summaryText(summary)}`);
    for (const text of answer.leftOut) printLine(context.io, `  left out: ${text}`);
    printLine(context.io, `  a new epoch has begun, at revision ${answer.revision}`);
    if (flags.wait === true) await printWait(context, answer.revision, flags);
  });
}
