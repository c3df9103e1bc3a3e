import { Command } from "commander";
import { CliFailure, EXIT } from "../exit.ts";
import { type CliContext, printLine } from "../io.ts";
import { kindNamed } from "../kinds.ts";

export function deleteCommand(context: CliContext): Command {
  return new Command("delete")
    .description("Delete an object")
    .argument("<kind>", "service, policy, backend, listener, route or fleet")
    .argument("<name>")
    .option("--force", "although other objects refer to it; a service also with its backends")
    .addHelpText(
      "after",
      `
Examples:
  fairlead delete route shop
  fairlead delete service shop --force`,
    )
    .action(async (kind: string, name: string, flags: { force?: true }) => {
      const entry = kindNamed(kind);
      if (entry.remove === undefined) {
        throw new CliFailure(EXIT.usage, "a verdict is taken back with: fairlead health SERVICE/BACKEND --clear");
      }
      const revision = await entry.remove(context.admin(), name, flags.force === true);
      printLine(context.io, `  - ${entry.kind} ${name}  revision ${revision}`);
    });
}
