import { Command } from "commander";
import { yamlText } from "../data-text.ts";
import { wrongUsage } from "../exit.ts";
import { type CliContext, printText } from "../io.ts";
import type { KindEntry, Shown } from "../kind-entry.ts";
import { editableForm } from "../kinds.ts";
import { kindNamed, kindsText, objectReference } from "../object-reference.ts";
import { labelOption, type OutputForm, outputOption } from "../options.ts";
import { printTable } from "../table.ts";

interface GetFlags {
  readonly output: OutputForm;
  readonly service?: string;
  readonly label?: Readonly<Record<string, string>>;
}

export function getCommand(context: CliContext): Command {
  return new Command("get")
    .description("Show the objects of a kind, or one of them")
    .argument("<kind>", `${kindsText()}; also as KIND/NAME`)
    .argument("[name]", "one object; a backend is SERVICE/BACKEND, or with its kind backend/SERVICE/BACKEND")
    .addOption(outputOption(["table", "json", "yaml"]))
    .option("--service <name>", "only the backends or verdicts of this service")
    .addOption(labelOption("-l, --label <key=value>", "only objects with this label"))
    .addHelpText(
      "after",
      `
With -o json an object is printed as the API has it, and a list as an array.
With -o yaml it is printed as a manifest, to be edited and applied again.

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

async function get(
  context: CliContext,
  entry: KindEntry,
  name: string | undefined,
  { output, service = "", label: labels = {} }: GetFlags,
): Promise<void> {
  if (name !== undefined && entry.get === undefined) {
    throw wrongUsage(`${entry.plural} can only be listed: fairlead get ${entry.kind} --service NAME`);
  }
  const one = name === undefined ? undefined : await entry.get?.(context.admin(), name, context.io);
  const shown = one === undefined ? await entry.list(context.admin(), { service, labels }, context.io) : [one];
  if (output === "yaml") {
    printText(context.io, shown.map(({ brief }) => yamlText(editableForm(entry, brief()))).join("---\n"));
    return;
  }
  if (one === undefined) context.outcome.putList(shown.map(({ json }) => json));
  else context.outcome.put(one.json);
  printObjects(context, entry, shown);
}

/** Prints objects of one kind as a table. */
export function printObjects({ io }: CliContext, entry: KindEntry, shown: readonly Shown[]): void {
  const rows = shown.map(({ cells }) => cells);
  printTable(io, entry.columns, rows, { spare: entry.spare, none: "nothing found" });
}
