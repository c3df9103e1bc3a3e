import { Command } from "commander";
import { AdminService, type HistoryEntry, HistoryEntrySchema } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { messageJson, yamlText } from "../data-text.ts";
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
    .description("List the earlier contents of an object, newest first")
    .argument("<kind>", `${kindsText(KINDS_WITH_HISTORY)}; also as KIND/NAME`)
    .argument("[name]", "its name")
    .addOption(outputOption(["table", "json", "yaml"]))
    .addHelpText(
      "after",
      `
With -o yaml each generation is printed as a manifest.

Examples:
  fairlead history route shop
  fairlead history rt/shop -o yaml`,
    )
    .action(async (word: string, more: string | undefined, { output }: { output: OutputForm }) => {
      const { io, outcome } = context;
      const { kind, name } = namedObject(word, more);
      const entry = kindNamed(kind);
      const { entries } = await context.admin().call(AdminService.method.listHistory, { kind: entry.kind, name });
      if (output === "yaml") {
        printText(io, entries.map((one) => toManifest(entry, one)).join("---\n"));
        return;
      }
      outcome.putList(entries.map((one) => messageJson(HistoryEntrySchema, one)));
      const rows = entries.map(({ generation, time, revision, actor, reason }) => [
        String(generation),
        formatMoment(time, io),
        revision,
        actor,
        reason,
      ]);
      printLines(io, tableLines(COLUMNS, rows, { ...io, spare: ["REVISION"] }));
    });
}

function toManifest(entry: KindEntry, { generation, object }: HistoryEntry): string {
  const message = object?.object.value;
  const json = message === undefined ? {} : entry.show(message).brief();
  return `# generation ${generation}\n${yamlText(editableForm(entry, json))}`;
}
