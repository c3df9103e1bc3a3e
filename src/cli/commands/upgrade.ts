import type { JsonObject } from "@bufbuild/protobuf";
import { Command } from "commander";
import { AdminService, SetEncodingProfileResponseSchema } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { GetStatusResponseSchema, type Replica } from "../../gen/fairlead/admin/v1/observe_pb.ts";
import { renderReach } from "../change-text.ts";
import { messageJson } from "../data-text.ts";
import { type CliContext, printLine, printLines } from "../io.ts";
import { addWriteOptions, type WriteFlags, wholeNumber, writeOptionsOf, writtenText } from "../options.ts";
import { tableLines } from "../table.ts";
import { endWrite } from "../write.ts";

interface UpgradeFlags extends WriteFlags {
  readonly toProfile?: number;
}

export function upgradeCommand(context: CliContext): Command {
  const command = new Command("upgrade")
    .description("Show which encoding profiles the replicas support, or switch all of them to another one")
    .option("--to-profile <number>", "switch to this profile; refused until every replica supports it", wholeNumber)
    .addHelpText(
      "after",
      `
An encoding profile is how resources are encoded for proxies. A release supports its own profile and that of the release
before it. Replace the replicas one by one, and switch when all are replaced: proxies get the same bytes from every replica,
before and after.

Examples:
  fairlead upgrade
  fairlead upgrade --to-profile 2 --dry-run
  fairlead upgrade --to-profile 2 --wait`,
    )
    .action((flags: UpgradeFlags) => upgrade(context, flags));
  return addWriteOptions(command);
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
  const profile = changeText(previousProfile, flags.toProfile);
  printLine(context.io, `  encoding profile ${profile}${written(flags, revision)}`);
  for (const each of reach) printLine(context.io, `  ${renderReach(each)}`);
  await endWrite(context, flags, { revision, hasChanges: previousProfile !== flags.toProfile });
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
