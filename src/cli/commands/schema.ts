import { Argument, Command } from "commander";
import { manifestSchema } from "../../schema/json-schema.ts";
import { jsonText } from "../data-text.ts";
import { type CliContext, printText } from "../io.ts";
import { outputSchema } from "../output-schema.ts";

const SCHEMAS = { manifest: manifestSchema, output: outputSchema } as const;

export function schemaCommand(context: CliContext): Command {
  return new Command("schema")
    .description("Print the JSON Schema of manifests, or of the output of -o json")
    .addArgument(new Argument("[of]", "what to describe").choices(Object.keys(SCHEMAS)).default("manifest"))
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
