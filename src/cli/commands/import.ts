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
import { changeLines, dryRunTexts, moveLines } from "../change-text.ts";
import { documentsOf } from "../document-stream.ts";
import { refusedWhole } from "../exit.ts";
import { type CliContext, printLine, printLines } from "../io.ts";
import { type ManifestProblem, problemLines } from "../manifest.ts";
import { ALLOW_LARGE_REMOVAL, addWriteOptions, REPLACE, type WriteFlags, writeOptionsOf } from "../options.ts";
import { refusedAt, type SentObject } from "../refused-at.ts";
import { readStateDocuments } from "../state-manifest.ts";
import { REPLACING, WITHOUT_PLANE, withStoreOrPlane } from "../store-door.ts";
import { endWrite } from "../write.ts";

interface ImportFlags extends WriteFlags {
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
    .description("Replace the whole state with the objects of an export")
    .argument("<file>", "made by fairlead export, or - for standard input")
    .option(...REPLACE)
    .option(...ALLOW_LARGE_REMOVAL)
    .addHelpText(
      "after",
      `
${REPLACING}

Objects that are not in the file are deleted: to add some, use apply. The history of the plane stays; that of the plane where
the export was made is not in the file.

${WITHOUT_PLANE}

Examples:
  fairlead import --dry-run all.yaml
  fairlead import all.yaml                    # into a plane that is empty
  fairlead import --replace all.yaml --wait   # into one that is not
  fairlead import --replace all.yaml --data /var/lib/fairlead`,
    )
    .action((file: string, flags: ImportFlags, self: Command) => importFile(context, file, flags, self));
  addWriteOptions(command);
  return context.store?.addOptions(command) ?? command;
}

async function importFile(context: CliContext, file: string, flags: ImportFlags, command: Command): Promise<void> {
  const { io } = context;
  const name = file === "-" ? "standard input" : file;
  const chunks = file === "-" ? (io.stdin ?? process.stdin) : createReadStream(file);
  const sent: SentObject[] = [];
  const requests = requestsOf(name, chunks, flags, sent);
  await withStoreOrPlane(context, { command, wait: flags.wait }, async (admin) => {
    const answer = await refusedAt(sent, admin.upload(AdminService.method.import, requests));
    context.outcome.putAnswer(ImportResponseSchema, answer);
    printAnswer(context, answer);
    await endWrite(context, flags, { revision: answer.revision, hasChanges: answer.changes.length > 0 });
  });
}

/** @param sent Receives where each object stands, which is known by its first line only. */
async function* requestsOf(
  file: string,
  chunks: AsyncIterable<Uint8Array>,
  flags: ImportFlags,
  sent: SentObject[],
): AsyncGenerator<MessageInitShape<typeof ImportRequestSchema>> {
  const options = {
    ...writeOptionsOf(flags),
    replace: flags.replace === true,
    allowRemoval: flags.allowRemoval === true,
  };
  const problems: ManifestProblem[] = [];
  let request: MessageInitShape<typeof ImportRequestSchema> = { options };
  let objects: MessageInitShape<typeof ImportedObjectSchema>[] = [];
  let characters = 0;
  for await (const text of documentsOf(file, chunks)) {
    for (const document of readStateDocuments(file, text)) {
      if (document.kind === "head") request = { ...request, exportedRevision: document.revision };
      else if (document.kind === "problems") problems.push(...document.problems);
      else {
        objects.push(document.object);
        sent.push({ file, placeOf: () => ({ line: document.line, column: 1 }) });
      }
    }
    characters += text.text.length;
    if (problems.length >= MAX_PROBLEMS) break;
    const isFull = objects.length >= REQUEST_OBJECTS || characters >= REQUEST_CHARACTERS;
    if (!isFull || problems.length > 0) continue;
    yield { ...request, objects };
    [request, objects, characters] = [{}, [], 0];
  }
  if (problems.length > 0) throw refusedWhole(problemLines(problems));
  if (sent.length === 0) throw refusedWhole([`no objects in ${file}`]);
  yield { ...request, objects };
}

function printAnswer({ io }: CliContext, { changes, counts, revision, reach }: ImportResponse): void {
  printLines(io, [...changeLines(changes), ...moveLines(reach)]);
  const sum = (of: "unchanged" | "created" | "updated" | "deleted") => counts.reduce((all, each) => all + each[of], 0);
  const changed = sum("created") + sum("updated") + sum("deleted");
  if (changed > changes.length) printLine(io, `  … and ${changed - changes.length} more`);
  const parts = (["created", "updated", "deleted", "unchanged"] as const).map((of) => `${sum(of)} ${of}`);
  const end = revision === "" ? dryRunTexts(reach) : [`A new epoch has begun, at revision ${revision}.`];
  printLine(io, `  ${[`${parts.join(", ")}.`, ...end].join(" ")}`);
}
