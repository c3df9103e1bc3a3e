import { Argument, Command } from "commander";
import { manifestSchema } from "../../schema/json-schema.ts";
import { jsonText } from "../data-text.ts";
import { type CliContext, printText } from "../io.ts";
import { outputSchema } from "../output-schema.ts";

const SCHEMAS = { manifest: manifestSchema, output: outputSchema } as const;

export function schemaCommand(context: CliContext): Command {
  return new Command("schema")
    .description("Print the JSON Schema of manifests, for editors, or of what -o json prints, for programs")
    .addArgument(new Argument("[of]", "what it describes").choices(Object.keys(SCHEMAS)).default("manifest"))
    .addHelpText(
      "after",
      `
Examples:
  fairlead schema > manifest.schema.json
  # then, as the first line of a manifest, for editors with the YAML language server:
  # yaml-language-server: $schema=./manifest.schema.json
  fairlead schema output | jq '.properties.apply'`,
    )
    .action((of: keyof typeof SCHEMAS) => printText(context.io, jsonText(SCHEMAS[of](), 2)));
}
