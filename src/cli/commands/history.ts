import type { JsonObject } from "@bufbuild/protobuf";
import { Command } from "commander";
import { AdminService, type HistoryEntry, HistoryEntrySchema } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { jsonText, messageJson, yamlText } from "../data-text.ts";
import { type CliContext, printLines, printText } from "../io.ts";
import type { KindEntry } from "../kind-entry.ts";
import { editableForm, KINDS_WITH_HISTORY } from "../kinds.ts";
import { formatMoment } from "../moment.ts";
import { kindNamed, kindsText, namedObject } from "../object-reference.ts";
import { type OutputForm, outputOption } from "../options.ts";
import { tableLines } from "../table.ts";

const COLUMNS = ["GENERATION", "TIME", "REVISION", "ACTOR", "REASON"];

export function historyCommand(context: CliContext): Command {
  return new Command("history")
    .description("The earlier contents of an object, the newest first")
    .argument("<kind>", `${kindsText(KINDS_WITH_HISTORY)}; also with the name: route/shop`)
    .argument("[name]")
    .addOption(outputOption("table", "json", "yaml"))
    .addHelpText(
      "after",
      `
With -o yaml each generation is a manifest.

Examples:
  fairlead history route shop
  fairlead history rt/shop -o yaml`,
    )
    .action(async (word: string, more: string | undefined, flags: { output: OutputForm }) => {
      const { kind, name } = namedObject(word, more);
      const entry = kindNamed(kind);
      const { entries } = await context.admin().call(AdminService.method.listHistory, { kind: entry.kind, name });
      printEntries(context, entry, entries, flags.output);
    });
}

function printEntries(
  { io }: CliContext,
  entry: KindEntry,
  entries: readonly HistoryEntry[],
  output: OutputForm,
): void {
  if (output === "json") {
    const json = entries.map((one) => messageJson(HistoryEntrySchema, one));
    printText(io, jsonText(json, 2));
  } else if (output === "yaml") {
    printText(io, entries.map((one) => toManifest(entry, one)).join("---\n"));
  } else {
    const rows = entries.map(({ generation, time, revision, actor, reason }) => [
      String(generation),
      formatMoment(time, io),
      revision,
      actor,
      reason,
    ]);
    printLines(io, tableLines(COLUMNS, rows, { ...io, spare: ["REVISION"] }));
  }
}

function toManifest(entry: KindEntry, { generation, object }: HistoryEntry): string {
  const message = object?.object.value;
  const json: JsonObject = message === undefined ? {} : entry.show(message).brief();
  return `# generation ${generation}\n${yamlText(editableForm(entry, json))}`;
}
