import { Command } from "commander";
import { AdminService } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { type ApplyResponse, ApplyResponseSchema } from "../../gen/fairlead/admin/v1/apply_pb.ts";
import { hasChanges, summaryLines } from "../change-text.ts";
import { refusedWhole } from "../exit.ts";
import { type CliContext, printLines } from "../io.ts";
import { parseManifests, problemLines } from "../manifest.ts";
import { readManifests } from "../manifest-files.ts";
import { ALLOW_LARGE_REMOVAL, addWriteOptions, type WriteFlags, writeOptionsOf } from "../options.ts";
import { refusedAt } from "../refused-at.ts";
import { NEWEST_REVISION, printWait } from "../wait.ts";

interface ApplyFlags extends WriteFlags {
  readonly filename: readonly string[];
  readonly prune?: true;
  readonly allowRemoval?: true;
  readonly strict?: true;
  readonly owner?: string;
}

/** Set for objects that have none yet, and the set that is pruned, unless --owner names another. */
const OWNER = "default";

export function applyCommand(context: CliContext): Command {
  const command = new Command("apply")
    .description("Create and change objects to match their manifests: all of them, or none")
    .requiredOption("-f, --filename <file...>", "manifests: files, folders, or - for standard input")
    .option("--prune", "also delete what an earlier apply of the same owner made and is not given now")
    .option(...ALLOW_LARGE_REMOVAL)
    .option("--owner <name>", `the set that the objects belong to (default: the one each is in, else "${OWNER}")`)
    .option("--strict", "refuse what leaves a conflict or a reference to nothing, otherwise only marked with !")
    .addHelpText(
      "after",
      `
Examples:
  fairlead apply -f shop.yaml --dry-run
  fairlead apply -f shop.yaml --wait
  fairlead apply -f manifests/ --owner shop-team --prune
  cat shop.yaml | fairlead apply -f -`,
    )
    .action((flags: ApplyFlags) => apply(context, flags));
  return addWriteOptions(command);
}

async function apply(context: CliContext, flags: ApplyFlags): Promise<void> {
  const { io, outcome } = context;
  const sources = await readManifests(flags.filename, io.stdin ?? process.stdin);
  const { objects, problems } = parseManifests(sources);
  if (problems.length > 0) throw refusedWhole(problemLines(problems));
  if (objects.length === 0 && flags.prune !== true) throw refusedWhole([`no objects in ${flags.filename.join(", ")}`]);
  const request = {
    objects: objects.map(({ any }) => any),
    owner: flags.owner ?? OWNER,
    keepOwners: flags.owner === undefined,
    strict: flags.strict === true,
    prune: flags.prune === true,
    allowRemoval: flags.allowRemoval === true,
    options: writeOptionsOf(flags),
  };
  const answer = await refusedAt(objects, context.admin().call(AdminService.method.apply, request));
  outcome.putAnswer(ApplyResponseSchema, answer);
  printLines(io, summaryLines(answer, flags));
  outcome.endDryRun(flags, hasChanges(answer.changes));
  if (flags.wait !== true || flags.dryRun === true) return;
  for (const revision of awaitedRevisions(answer, flags)) await printWait(context, revision, flags);
}

/**
 * An apply that changes nothing waits for the earlier one that made the state so. What that one pruned has no revision any
 * more, so with `--prune` it waits for everything written until now.
 */
function awaitedRevisions({ revision, presentRevision }: ApplyResponse, { prune }: ApplyFlags): readonly string[] {
  if (revision !== "") return [revision];
  const present = presentRevision === "" ? [] : [presentRevision];
  return prune === true ? [...present, NEWEST_REVISION] : present;
}
