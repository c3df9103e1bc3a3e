import { Command } from "commander";
import { manifestSchema } from "../../schema/json-schema.ts";
import { type CliContext, printLine } from "../io.ts";

export function schemaCommand(context: CliContext): Command {
  return new Command("schema")
    .description("Print the JSON Schema of manifests, for editors")
    .addHelpText(
      "after",
      `
Examples:
  fairlead schema > manifest.schema.json
  # then, as the first line of a manifest, for editors with the YAML language server:
  # yaml-language-server: $schema=./manifest.schema.json`,
    )
    .action(() => printLine(context.io, JSON.stringify(manifestSchema(), null, 2)));
}
