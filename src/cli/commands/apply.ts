import { Command } from "commander";
import { AdminService } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { type ApplyResponse, ApplyResponseSchema } from "../../gen/fairlead/admin/v1/apply_pb.ts";
import { AdminError } from "../admin-error.ts";
import { changeLines, conditionLines, hasChanges, moveLines, renderCounts, renderReach } from "../change-text.ts";
import { CliFailure, EXIT, exitCodeOf, NOTHING_CHANGED } from "../exit.ts";
import { type CliContext, printLine, printLines } from "../io.ts";
import { type ManifestObject, parseManifests, problemLines } from "../manifest.ts";
import { readManifests } from "../manifest-files.ts";
import {
  outputOption,
  type WaitFlags,
  type WriteFlags,
  waitOptions,
  writeOptions,
  writeOptionsOf,
} from "../options.ts";
import { NEWEST_REVISION, printWait } from "../wait.ts";

interface ApplyFlags extends WaitFlags, WriteFlags {
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
    .description("Make objects be as their manifests say: all of them, or none")
    .requiredOption("-f, --filename <file...>", "manifests: files, folders, or - for standard input")
    .option("--prune", "also delete what an earlier apply of the same owner made and is not given now")
    .option("--allow-removal", "do not refuse the removal of a large part of the backends of a service or of a kind")
    .option("--owner <name>", `the set that these objects belong to (default: where each is, else "${OWNER}")`)
    .option("--strict", "refuse what leaves anything wrong: references to nothing, conflicts (marked by ! otherwise)")
    .addOption(outputOption("table", "json"))
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
  for (const option of [...writeOptions(), ...waitOptions("return when the proxies have acknowledged it")])
    command.addOption(option);
  return command;
}

async function apply(context: CliContext, flags: ApplyFlags): Promise<void> {
  const { io } = context;
  const sources = await readManifests(flags.filename, io.stdin ?? process.stdin);
  const { objects, problems } = parseManifests(sources);
  if (problems.length > 0) throw new CliFailure(EXIT.failed, [...problemLines(problems), NOTHING_CHANGED]);
  if (objects.length === 0 && flags.prune !== true) {
    throw new CliFailure(EXIT.failed, [`no object in ${flags.filename.join(", ")}`, NOTHING_CHANGED]);
  }
  const answer = await send(context, objects, flags);
  context.outcome.putAnswer(ApplyResponseSchema, answer);
  printAnswer(context, answer, flags.dryRun === true);
  context.outcome.endDryRun(flags, hasChanges(answer.changes));
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

async function send(
  context: CliContext,
  objects: readonly ManifestObject[],
  flags: ApplyFlags,
): Promise<ApplyResponse> {
  try {
    return await context.admin().call(AdminService.method.apply, {
      objects: objects.map(({ any }) => any),
      owner: flags.owner ?? OWNER,
      keepOwners: flags.owner === undefined,
      strict: flags.strict === true,
      prune: flags.prune === true,
      allowRemoval: flags.allowRemoval === true,
      options: writeOptionsOf(flags),
    });
  } catch (error) {
    if (!(error instanceof AdminError) || error.isUnreachable) throw error;
    const end = error.reason === "OUTCOME_UNKNOWN" ? [] : [NOTHING_CHANGED];
    throw new CliFailure(exitCodeOf(error), [...refusalLines(error, objects), ...end], { cause: error });
  }
}

/** Maps the server's violations, `objects[2].rules[0].match`, back to the files. */
function refusalLines(error: AdminError, objects: readonly ManifestObject[]): string[] {
  if (error.violations.length === 0) return [`refused: ${error.message}`];
  const problems = error.violations.map(({ field, message }) => {
    const match = /^objects\[(\d+)\]\.?(.*)$/s.exec(field);
    const object = objects[Number(match?.[1] ?? -1)];
    const inner = match?.[2] ?? field;
    if (object === undefined) return { file: "refused", field, message };
    return { file: object.file, place: object.placeOf(inner), field: inner, message };
  });
  return problemLines(problems);
}

function printAnswer(
  { io }: CliContext,
  { changes, revision, reach, conditions }: ApplyResponse,
  isDryRun: boolean,
): void {
  printLines(io, [...changeLines(changes), ...conditionLines(conditions), ...moveLines(reach)]);
  const counts = renderCounts(changes);
  if (isDryRun) printLine(io, `  ${[counts, ...reach.map(renderReach)].join(" ")}`);
  else printLine(io, revision === "" ? `  ${counts}` : `  ${counts} Revision ${revision}.`);
}
