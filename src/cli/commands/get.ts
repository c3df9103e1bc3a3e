import { Command } from "commander";
import { jsonText, yamlText } from "../data-text.ts";
import { CliFailure, EXIT } from "../exit.ts";
import { type CliContext, noteLine, printLines, printText } from "../io.ts";
import type { KindEntry, Shown } from "../kind-entry.ts";
import { editableForm } from "../kinds.ts";
import { kindNamed, kindsText, objectReference } from "../object-reference.ts";
import { labelOption, type OutputForm, outputOption } from "../options.ts";
import { tableLines } from "../table.ts";

interface GetFlags {
  readonly output: OutputForm;
  readonly service?: string;
  readonly label: Readonly<Record<string, string>>;
}

export function getCommand(context: CliContext): Command {
  return new Command("get")
    .description("Show objects of a kind, or one of them")
    .argument("<kind>", `${kindsText()}; also with the name: service/shop`)
    .argument("[name]", "one object; a backend is SERVICE/BACKEND, with its kind backend/SERVICE/BACKEND")
    .addOption(outputOption("table", "json", "yaml"))
    .option("--service <name>", "only the backends or verdicts of this service")
    .addOption(labelOption("-l, --label <key=value>", "only objects with this label; repeatable"))
    .addHelpText(
      "after",
      `
With -o json an object is the API's own JSON form and a list is an array.
With -o yaml it is a manifest that can be edited and applied again.

Examples:
  fairlead get backends --service shop
  fairlead get service shop -o yaml > shop.yaml
  fairlead get svc/shop
  fairlead get routes -l team=shop -o json`,
    )
    .action((word: string, more: string | undefined, flags: GetFlags) => {
      const { kind, name } = objectReference(word, more);
      return get(context, kindNamed(kind), name, flags);
    });
}

async function get(context: CliContext, entry: KindEntry, name: string | undefined, flags: GetFlags): Promise<void> {
  const { io } = context;
  if (name === undefined) {
    const shown = await entry.list(context.admin(), { service: flags.service ?? "", labels: flags.label }, io);
    const json = shown.map((one) => one.json);
    if (flags.output === "json") printText(io, jsonText(json, 2));
    else if (flags.output === "yaml") printText(io, toManifest(entry, shown));
    else printTable(context, entry, shown);
    return;
  }
  if (entry.get === undefined) {
    throw new CliFailure(EXIT.usage, `${entry.plural} can only be listed: fairlead get ${entry.kind} --service NAME`);
  }
  const shown = await entry.get(context.admin(), name, io);
  if (flags.output === "json") printText(io, jsonText(shown.json, 2));
  else if (flags.output === "yaml") printText(io, toManifest(entry, [shown]));
  else printTable(context, entry, [shown]);
}

function toManifest(entry: KindEntry, shown: readonly Shown[]): string {
  return shown.map(({ brief }) => yamlText(editableForm(entry, brief()))).join("---\n");
}

function printTable({ io }: CliContext, entry: KindEntry, shown: readonly Shown[]): void {
  const rows = shown.map(({ cells }) => cells);
  if (rows.length === 0) noteLine(io, `no ${entry.plural}`);
  else printLines(io, tableLines(entry.columns, rows, { ...io, spare: entry.spare ?? [] }));
}
