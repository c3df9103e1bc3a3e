import { Command } from "commander";
import { AdminService } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { CliFailure, EXIT } from "../exit.ts";
import { type CliContext, printLine } from "../io.ts";
import { kindNamed } from "../kinds.ts";

export function deleteCommand(context: CliContext): Command {
  return new Command("delete")
    .description("Delete an object, or a stored record that cannot be read")
    .argument("<kind>", "service, policy, backend, listener, route or fleet; record for what cannot be read")
    .argument("<name>", "of a record: its key, as `fairlead status` names it")
    .option(
      "--force",
      "although other objects refer to it; a service also with its backends, the last eligible backend",
    )
    .addHelpText(
      "after",
      `
Examples:
  fairlead delete route shop
  fairlead delete service shop --force
  fairlead delete record projects/default/services/shop`,
    )
    .action(async (kind: string, name: string, flags: { force?: true }) => {
      if (kind === "record") {
        const { revision } = await context.admin().call(AdminService.method.deleteRecord, { key: name });
        printLine(context.io, `  - record ${name}  revision ${revision}`);
        return;
      }
      const entry = kindNamed(kind);
      if (entry.remove === undefined) {
        throw new CliFailure(EXIT.usage, "a verdict is taken back with: fairlead health SERVICE/BACKEND --clear");
      }
      const revision = await entry.remove(context.admin(), name, flags.force === true);
      printLine(context.io, `  - ${entry.kind} ${name}  revision ${revision}`);
    });
}
