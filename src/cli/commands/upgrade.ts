import { Command } from "commander";
import { AdminService } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import type { Replica } from "../../gen/fairlead/admin/v1/observe_pb.ts";
import { type CliContext, printLine, printLines } from "../io.ts";
import { type WaitFlags, waitOptions, wholeNumber } from "../options.ts";
import { tableLines } from "../table.ts";
import { printWait } from "../wait.ts";

interface UpgradeFlags extends WaitFlags {
  readonly toProfile?: number;
}

export function upgradeCommand(context: CliContext): Command {
  const command = new Command("upgrade")
    .description("How resources are encoded and what each replica supports; or switch all of them at once")
    .option(
      "--to-profile <number>",
      "switch to this encoding profile; refused until every replica supports it",
      wholeNumber,
    )
    .addHelpText(
      "after",
      `
A release supports the encoding profile of the one before it and its own. Replace the replicas one by one, and switch when
all are replaced: proxies get the same bytes from every replica, before and after.

Examples:
  fairlead upgrade
  fairlead upgrade --to-profile 2 --wait`,
    )
    .action((flags: UpgradeFlags) => upgrade(context, flags));
  for (const option of waitOptions("return when the proxies have acknowledged it")) command.addOption(option);
  return command;
}

async function upgrade(context: CliContext, flags: UpgradeFlags): Promise<void> {
  if (flags.toProfile === undefined) {
    const { encodingProfile, replicas } = await context.admin().call(AdminService.method.getStatus, {});
    printLine(context.io, `  encoding profile ${encodingProfile}`);
    printLines(context.io, tableLines(["REPLICA", "SUPPORTS"], replicas.map(replicaCells)));
    return;
  }
  const request = { profile: flags.toProfile };
  const { revision } = await context.admin().call(AdminService.method.setEncodingProfile, request);
  printLine(context.io, `  encoding profile ${flags.toProfile}  revision ${revision}`);
  if (flags.wait === true) await printWait(context, revision, flags);
}

function replicaCells({ name, live, encodingProfiles }: Replica): string[] {
  return [name, live ? encodingProfiles.join(", ") : "silent"];
}
