import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { type CliContext, printLine } from "../io.ts";

export function versionCommand(context: CliContext): Command {
  return new Command("version")
    .description("Print the version of this program; `status` shows the plane's")
    .action(() => printLine(context.io, `fairlead ${readVersion()}`));
}

/** package.json is two folders up both in the sources and in the built package. */
function readVersion(): string {
  const text = readFileSync(join(import.meta.dirname, "../../../package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
