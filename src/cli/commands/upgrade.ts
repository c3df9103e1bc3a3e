import { Command } from "commander";
import { AdminService, SetEncodingProfileResponseSchema } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { ReplicaSchema } from "../../gen/fairlead/admin/v1/observe_pb.ts";
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
  const { io, outcome } = context;
  const { toProfile } = flags;
  if (toProfile === undefined) {
    const status = await context.admin().call(AdminService.method.getStatus, {});
    const { encodingProfile, replicas } = status;
    outcome.put({ encodingProfile, replicas: replicas.map((replica) => messageJson(ReplicaSchema, replica)) });
    const rows = replicas.map(({ name, live, encodingProfiles }) => [
      name,
      live ? encodingProfiles.join(", ") : "silent",
    ]);
    printLine(io, `  encoding profile ${encodingProfile}`);
    printLines(io, tableLines(["REPLICA", "SUPPORTS"], rows, io));
    return;
  }
  const request = { profile: toProfile, options: writeOptionsOf(flags) };
  const answer = await context.admin().call(AdminService.method.setEncodingProfile, request);
  const { revision, previousProfile, reach } = answer;
  outcome.putAnswer(SetEncodingProfileResponseSchema, answer);
  const hasChanges = previousProfile !== toProfile;
  const profile = hasChanges && previousProfile !== 0 ? `${previousProfile} → ${toProfile}` : String(toProfile);
  // A profile that is already in force has no revision of its own.
  const written = flags.dryRun !== true && revision === "" ? ": no change" : `  ${writtenText(flags, revision)}`;
  printLine(io, `  encoding profile ${profile}${written}`);
  for (const each of reach) printLine(io, `  ${renderReach(each)}`);
  await endWrite(context, flags, { revision, hasChanges });
}
