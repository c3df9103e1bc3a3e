import type { JsonObject } from "@bufbuild/protobuf";
import { Command } from "commander";
import { AdminService, SetEncodingProfileResponseSchema } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { GetStatusResponseSchema, type Replica } from "../../gen/fairlead/admin/v1/observe_pb.ts";
import { renderReach } from "../change-text.ts";
import { messageJson } from "../data-text.ts";
import { type CliContext, printLine, printLines } from "../io.ts";
import {
  outputOption,
  type WaitFlags,
  type WriteFlags,
  waitOptions,
  wholeNumber,
  writeOptions,
  writeOptionsOf,
  writtenText,
} from "../options.ts";
import { tableLines } from "../table.ts";
import { printWait } from "../wait.ts";

interface UpgradeFlags extends WaitFlags, WriteFlags {
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
    .addOption(outputOption("table", "json"))
    .addHelpText(
      "after",
      `
A release supports the encoding profile of the one before it and its own. Replace the replicas one by one, and switch when
all are replaced: proxies get the same bytes from every replica, before and after.

Examples:
  fairlead upgrade
  fairlead upgrade --to-profile 2 --dry-run
  fairlead upgrade --to-profile 2 --wait`,
    )
    .action((flags: UpgradeFlags) => upgrade(context, flags));
  for (const option of [...writeOptions(), ...waitOptions("return when the proxies have acknowledged it")])
    command.addOption(option);
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
  const request = { profile: flags.toProfile, options: writeOptionsOf(flags) };
  const answer = await context.admin().call(AdminService.method.setEncodingProfile, request);
  const { revision, previousProfile, reach } = answer;
  context.outcome.putAnswer(SetEncodingProfileResponseSchema, answer);
  const isChange = previousProfile !== flags.toProfile;
  context.outcome.endDryRun(flags, isChange);
  printLine(
    context.io,
    `  encoding profile ${changeText(previousProfile, flags.toProfile)}${written(flags, revision)}`,
  );
  for (const each of reach) printLine(context.io, `  ${renderReach(each)}`);
  if (flags.wait === true && flags.dryRun !== true) await printWait(context, revision, flags);
}

function changeText(from: number, to: number): string {
  return from === to || from === 0 ? `${to}` : `${from} → ${to}`;
}

/** A profile that is already in force has no revision of its own. */
function written(flags: WriteFlags, revision: string): string {
  return flags.dryRun !== true && revision === "" ? ": no change" : `  ${writtenText(flags, revision)}`;
}

function replicaCells({ name, live, encodingProfiles }: Replica): string[] {
  return [name, live ? encodingProfiles.join(", ") : "silent"];
}
