import { toJson } from "@bufbuild/protobuf";
import { Command } from "commander";
import { AdminService } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import type { WatchEvent } from "../../gen/fairlead/admin/v1/observe_pb.ts";
import { descriptorOf } from "../../schema/object-message.ts";
import { unknownContent } from "../../schema/unknown-content.ts";
import { CliFailure, EXIT } from "../exit.ts";
import { writing } from "../file-failure.ts";
import { type CliContext, printText } from "../io.ts";
import { KIND_ENTRIES } from "../kinds.ts";
import { OVERWRITE } from "../options.ts";
import { writePrivateFile } from "../private-file.ts";
import { headText, objectText } from "../state-manifest.ts";

export function exportCommand(context: CliContext): Command {
  return new Command("export")
    .description("Write the whole state as manifests, to be read, edited and imported")
    .argument("[file]", "readable by its owner only; without it, standard output")
    .option(...OVERWRITE)
    .addHelpText(
      "after",
      `
Objects keep their uid, generation, age and owner. Health verdicts and overrides are included; earlier contents and the
journal are not: for those, make a backup.

Examples:
  fairlead export all.yaml
  fairlead import --dry-run all.yaml
  fairlead export | fairlead --server other.example:18001 import -`,
    )
    .action(async (file: string | undefined, flags: { force?: true }) => {
      if (file === undefined || file === "-") {
        for await (const text of manifests(context)) printText(context.io, text);
        return;
      }
      await writePrivateFile(file, { isForced: flags.force === true }, async (handle) => {
        for await (const text of manifests(context)) await writing(file, handle.appendFile(text));
      });
    });
}

async function* manifests(context: CliContext): AsyncGenerator<string> {
  const byKind = new Map<string, Map<string, string>>(KIND_ENTRIES.map(({ kind }) => [kind, new Map()]));
  let revision: string | undefined;
  for await (const response of context.admin().stream(AdminService.method.watch, {})) {
    for (const event of response.events) {
      const text = textOf(event);
      byKind.get(event.kind)?.set(event.name, text);
    }
    if (!response.synced) continue;
    ({ revision } = response);
    break;
  }
  if (revision === undefined) throw new CliFailure(EXIT.failed, "the plane ended the export before it was complete");
  const texts = Array.from(byKind.values(), (byName) => [...byName].toSorted(([a], [b]) => (a < b ? -1 : 1))).flat();
  yield headText({ revision, objects: texts.length });
  for (const [, text] of texts) yield `---\n${text}`;
}

function textOf({ object, health, kind, name }: WatchEvent): string {
  const message = health ?? object?.object.value;
  const entry = KIND_ENTRIES.find((known) => known.kind === kind);
  if (message === undefined || entry === undefined) {
    throw new CliFailure(
      EXIT.failed,
      `${kind} ${name}: this fairlead is older than the plane and does not know the kind`,
    );
  }
  const [unknown] = unknownContent(descriptorOf(entry.kind), message);
  if (unknown !== undefined) {
    const why = `${unknown.path === "" ? "" : `${unknown.path}: `}${unknown.message}`;
    throw new CliFailure(EXIT.failed, `${kind} ${name}: this fairlead is older than what wrote it: ${why}`);
  }
  return objectText(entry.title, toJson(descriptorOf(entry.kind), message) as Parameters<typeof objectText>[1]);
}
