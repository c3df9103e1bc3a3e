import type { JsonObject } from "@bufbuild/protobuf";
import { Command } from "commander";
import { AdminService } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { GetStatusResponseSchema, type Replica } from "../../gen/fairlead/admin/v1/observe_pb.ts";
import { WriteResponseSchema } from "../../gen/fairlead/admin/v1/write_pb.ts";
import { messageJson } from "../data-text.ts";
import { type CliContext, printLine, printLines } from "../io.ts";
import { outputOption, type WaitFlags, waitOptions, wholeNumber } from "../options.ts";
import { tableLines } from "../table.ts";
import { printWait } from "../wait.ts";

interface UpgradeFlags extends WaitFlags {
  readonly toProfile?: number;
  readonly reason?: string;
}

export function upgradeCommand(context: CliContext): Command {
  const command = new Command("upgrade")
    .description("How resources are encoded and what each replica supports; or switch all of them at once")
    .option(
      "--to-profile <number>",
      "switch to this encoding profile; refused until every replica supports it",
      wholeNumber,
    )
    .option("--reason <text>", "why, for the journal")
    .addOption(outputOption("table", "json"))
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
    const status = await context.admin().call(AdminService.method.getStatus, {});
    const { encodingProfile, replicas } = status;
    const json = messageJson(GetStatusResponseSchema, status) as JsonObject;
    context.outcome.put({ encodingProfile, replicas: json["replicas"] ?? [] });
    printLine(context.io, `  encoding profile ${encodingProfile}`);
    printLines(context.io, tableLines(["REPLICA", "SUPPORTS"], replicas.map(replicaCells), context.io));
    return;
  }
  const request = { profile: flags.toProfile, options: { reason: flags.reason ?? "" } };
  const answer = await context.admin().call(AdminService.method.setEncodingProfile, request);
  const { revision } = answer;
  context.outcome.putAnswer(WriteResponseSchema, answer);
  printLine(context.io, `  encoding profile ${flags.toProfile}  revision ${revision}`);
  if (flags.wait === true) await printWait(context, revision, flags);
}

function replicaCells({ name, live, encodingProfiles }: Replica): string[] {
  return [name, live ? encodingProfiles.join(", ") : "silent"];
}
