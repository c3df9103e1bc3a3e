import type { JsonObject } from "@bufbuild/protobuf";
import { Command } from "commander";
import { AdminService } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { BackupEndSchema, BackupHeadSchema, type BackupRecord } from "../../gen/fairlead/admin/v1/archive_pb.ts";
import { type BackupSummary, writeBackup } from "../backup-file.ts";
import { formatBytes } from "../change-text.ts";
import { messageJson } from "../data-text.ts";
import { type CliContext, printLine } from "../io.ts";
import { OVERWRITE, outputOption } from "../options.ts";

export function backupCommand(context: CliContext): Command {
  return new Command("backup")
    .description("Save the whole content of the store to a file, history and journal included")
    .argument("<file>", "readable by its owner only, since it holds private keys")
    .option(...OVERWRITE)
    .addOption(outputOption())
    .addHelpText(
      "after",
      `
The plane keeps serving meanwhile; the file holds the state of one revision. It can be restored to an embedded store and to
NATS, whichever it comes from.

Examples:
  fairlead backup /var/backups/fairlead-$(date +%F).backup
  fairlead restore --dry-run /var/backups/fairlead-2026-11-25.backup   # is it whole?`,
    )
    .action((file: string, flags: { force?: true }) => backup(context, file, flags.force === true));
}

async function backup(context: CliContext, file: string, isForced: boolean): Promise<void> {
  const summary = await writeBackup(file, { isForced }, records(context));
  context.outcome.put(summaryJson(summary));
  printLine(context.io, `  ${summaryText(summary)}`);
}

async function* records(context: CliContext): AsyncGenerator<readonly BackupRecord[]> {
  for await (const response of context.admin().stream(AdminService.method.backup, {})) yield response.records;
}

export function summaryJson({ head, end, bytes }: BackupSummary): JsonObject {
  return { head: messageJson(BackupHeadSchema, head), end: messageJson(BackupEndSchema, end), bytes };
}

/** `42 keys, 17 earlier contents and 103 journal entries at revision 1.8812, 1.2 MB, made by release 0.1.0` */
export function summaryText({ head, end, bytes }: BackupSummary): string {
  const what = `${end.entries} keys, ${end.copies} earlier contents and ${end.journal} journal entries`;
  return `${what} at revision ${head.revision}, ${formatBytes(bytes)}, made by release ${head.productVersion}`;
}
