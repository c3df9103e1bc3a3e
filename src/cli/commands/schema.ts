import { Command } from "commander";
import { manifestSchema } from "../../schema/json-schema.ts";
import { jsonText } from "../data-text.ts";
import { type CliContext, printText } from "../io.ts";

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
    .action(() => printText(context.io, jsonText(manifestSchema(), 2)));
}
