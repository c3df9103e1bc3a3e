import { Command } from "commander";
import { stringify } from "yaml";
import { CliFailure, EXIT } from "../exit.ts";
import { type CliContext, printLine } from "../io.ts";
import type { KindEntry, Shown } from "../kind-entry.ts";
import { editableForm, kindNamed } from "../kinds.ts";
import { labelOption, type OutputForm, outputOption } from "../options.ts";
import { renderTable } from "../table.ts";

interface GetFlags {
  readonly output: OutputForm;
  readonly service?: string;
  readonly label: Readonly<Record<string, string>>;
}

export function getCommand(context: CliContext): Command {
  return new Command("get")
    .description("Show objects of a kind, or one of them")
    .argument("<kind>", "service, policy, backend, health, listener, route or fleet")
    .argument("[name]", "one object; a backend is SERVICE/BACKEND")
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
  fairlead get routes -l team=shop -o json`,
    )
    .action((kind: string, name: string | undefined, flags: GetFlags) => get(context, kindNamed(kind), name, flags));
}

async function get(context: CliContext, entry: KindEntry, name: string | undefined, flags: GetFlags): Promise<void> {
  const { io } = context;
  if (name === undefined) {
    const shown = await entry.list(context.admin(), { service: flags.service ?? "", labels: flags.label });
    if (flags.output === "json")
      printLine(
        io,
        JSON.stringify(
          shown.map(({ json }) => json),
          null,
          2,
        ),
      );
    else if (flags.output === "yaml") io.stdout.write(toManifest(entry, shown));
    else printTable(context, entry, shown);
    return;
  }
  if (entry.get === undefined) {
    throw new CliFailure(EXIT.usage, `${entry.plural} can only be listed: fairlead get ${entry.kind} --service NAME`);
  }
  const shown = await entry.get(context.admin(), name);
  if (flags.output === "json") printLine(io, JSON.stringify(shown.json, null, 2));
  else if (flags.output === "yaml") io.stdout.write(toManifest(entry, [shown]));
  else printTable(context, entry, [shown]);
}

function toManifest(entry: KindEntry, shown: readonly Shown[]): string {
  return shown.map(({ json }) => stringify(editableForm(entry, json), { aliasDuplicateObjects: false })).join("---\n");
}

function printTable({ io }: CliContext, entry: KindEntry, shown: readonly Shown[]): void {
  if (shown.length === 0) io.stderr.write(`no ${entry.plural}\n`);
  else
    printLine(
      io,
      renderTable(
        entry.columns,
        shown.map(({ cells }) => cells),
      ),
    );
}
