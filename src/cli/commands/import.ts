import { createReadStream } from "node:fs";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Command } from "commander";
import { AdminService } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import {
  type ImportedObjectSchema,
  type ImportRequestSchema,
  type ImportResponse,
  ImportResponseSchema,
} from "../../gen/fairlead/admin/v1/archive_pb.ts";
import { AdminError } from "../admin-error.ts";
import { changeLines, moveLines, renderReach } from "../change-text.ts";
import { documentsOf } from "../document-stream.ts";
import { CliFailure, EXIT, exitCodeOf, NOTHING_CHANGED } from "../exit.ts";
import { type CliContext, printLine, printLines } from "../io.ts";
import { type ManifestProblem, problemLines } from "../manifest.ts";
import {
  outputOption,
  type WaitFlags,
  type WriteFlags,
  waitOptions,
  writeOptions,
  writeOptionsOf,
} from "../options.ts";
import { refusedBy } from "../replace-refusal.ts";
import { readStateDocuments } from "../state-manifest.ts";
import { withStoreOrPlane } from "../store-door.ts";
import { printWait } from "../wait.ts";

interface ImportFlags extends WriteFlags, WaitFlags {
  readonly replace?: true;
  readonly allowRemoval?: true;
}

/** Most objects in one request, and most characters of their text. */
const REQUEST_OBJECTS = 200;
const REQUEST_CHARACTERS = 1_000_000;
/** The most that are shown. */
const MAX_PROBLEMS = 100;

export function importCommand(context: CliContext): Command {
  const command = new Command("import")
    .description("Make the state be what manifests say, and nothing else")
    .argument("<file>", "made by fairlead export, or - for standard input")
    .option("--replace", "replace a state that has objects")
    .option("--allow-removal", "do not refuse the removal of a large part of the backends of a service or of a kind")
    .addOption(outputOption("table", "json"))
    .addHelpText(
      "after",
      `
All of it in one step: until then the plane serves what it has. It begins a new epoch, so that versions and revisions of
before count no more; every replica follows by itself, and proxies are sent only what differs. Objects that are not in the
file are deleted: to add some, apply them. The history of where the file comes from is left behind; the history of this plane
stays.

With --data, --nats or --config it needs no plane: it opens the store itself, also one that no plane can start from, and is
refused while a plane serves from it.

Examples:
  fairlead import --dry-run all.yaml
  fairlead import all.yaml                    # into a plane that is empty
  fairlead import --replace all.yaml --wait   # into one that is not
  fairlead import --replace all.yaml --data /var/lib/fairlead`,
    )
    .action((file: string, flags: ImportFlags, self: Command) => importFile(context, file, flags, self));
  for (const option of [...writeOptions(), ...waitOptions("return when the proxies have acknowledged it")])
    command.addOption(option);
  return context.store?.addOptions(command) ?? command;
}

async function importFile(context: CliContext, file: string, flags: ImportFlags, command: Command): Promise<void> {
  const { io } = context;
  const name = file === "-" ? "standard input" : file;
  const chunks = file === "-" ? (io.stdin ?? process.stdin) : createReadStream(file);
  const lines: number[] = [];
  const requests = requestsOf(name, chunks, flags, lines);
  await withStoreOrPlane(context, { command, wait: flags.wait }, async (admin) => {
    const answer = await placed(name, lines, refusedBy(admin.upload(AdminService.method.import, requests)));
    context.outcome.putAnswer(ImportResponseSchema, answer);
    printAnswer(context, answer);
    context.outcome.endDryRun(flags, answer.changes.length > 0);
    if (flags.wait === true && flags.dryRun !== true) await printWait(context, answer.revision, flags);
  });
}

/** @param lines Receives the line at which each object stands. */
async function* requestsOf(
  file: string,
  chunks: AsyncIterable<Uint8Array>,
  flags: ImportFlags,
  lines: number[],
): AsyncGenerator<MessageInitShape<typeof ImportRequestSchema>> {
  const problems: ManifestProblem[] = [];
  let exportedRevision = "";
  let isFirst = true;
  let characters = 0;
  let objects: MessageInitShape<typeof ImportedObjectSchema>[] = [];
  const request = () => {
    const options = {
      ...writeOptionsOf(flags),
      replace: flags.replace === true,
      allowRemoval: flags.allowRemoval === true,
    };
    const first = isFirst ? { options, exportedRevision } : {};
    const full = { ...first, objects };
    isFirst = false;
    objects = [];
    characters = 0;
    return full;
  };
  for await (const text of documentsOf(file, chunks)) {
    for (const document of readStateDocuments(file, text)) {
      if (document.kind === "head") exportedRevision = document.revision;
      else if (document.kind === "problems") problems.push(...document.problems);
      else {
        objects.push(document.object);
        lines.push(document.line);
      }
    }
    characters += text.text.length;
    if (problems.length >= MAX_PROBLEMS) break;
    const isFull = objects.length >= REQUEST_OBJECTS || characters >= REQUEST_CHARACTERS;
    if (isFull && problems.length === 0) yield request();
  }
  if (problems.length > 0) throw new CliFailure(EXIT.failed, [...problemLines(problems), NOTHING_CHANGED]);
  if (lines.length === 0) throw new CliFailure(EXIT.failed, [`no object in ${file}`, NOTHING_CHANGED]);
  yield request();
}

/** Maps the server's violations, `objects[2].rules[0].match`, back to the file. */
async function placed<T>(file: string, lines: readonly number[], importing: Promise<T>): Promise<T> {
  try {
    return await importing;
  } catch (error) {
    if (!(error instanceof AdminError) || error.violations.length === 0) throw error;
    const problems = error.violations.map(({ field, message }) => {
      const match = /^objects\[(\d+)\]\.?(.*)$/s.exec(field);
      const line = lines[Number(match?.[1] ?? -1)] ?? 1;
      return { file, place: { line, column: 1 }, field: match?.[2] ?? field, message };
    });
    throw new CliFailure(exitCodeOf(error), [...problemLines(problems), NOTHING_CHANGED], { cause: error });
  }
}

function printAnswer({ io }: CliContext, { changes, counts, revision, reach }: ImportResponse): void {
  printLines(io, [...changeLines(changes), ...moveLines(reach)]);
  const sum = (of: "unchanged" | "created" | "updated" | "deleted") => counts.reduce((all, each) => all + each[of], 0);
  const changed = sum("created") + sum("updated") + sum("deleted");
  if (changed > changes.length) printLine(io, `  … and ${changed - changes.length} more`);
  const parts = (["created", "updated", "deleted", "unchanged"] as const).map((of) => `${sum(of)} ${of}`);
  const end = revision === "" ? reach.map(renderReach) : [`A new epoch has begun, at revision ${revision}.`];
  printLine(io, `  ${[`${parts.join(", ")}.`, ...end].join(" ")}`);
}
