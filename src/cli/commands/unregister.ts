import { Command } from "commander";
import { AdminService } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { WriteResponseSchema } from "../../gen/fairlead/admin/v1/write_pb.ts";
import { type CliContext, printLine } from "../io.ts";
import {
  ALLOW_REMOVAL,
  addWriteOptions,
  backendName,
  IGNORE_MISSING,
  writeOptionsOf,
  writtenText,
} from "../options.ts";
import { endWrite, type MissingFlags, unlessMissing } from "../write.ts";

interface UnregisterFlags extends MissingFlags {
  readonly allowRemoval?: true;
}

export function unregisterCommand(context: CliContext): Command {
  const command = new Command("unregister")
    .description("Remove a backend at once; `drain` lets its requests finish first")
    .argument("<backend>", "SERVICE/BACKEND", backendName)
    .option(...ALLOW_REMOVAL)
    .option(...IGNORE_MISSING)
    .addHelpText(
      "after",
      `
Examples:
  fairlead unregister shop/shop-4 --wait`,
    )
    .action(async (name: string, flags: UnregisterFlags) => {
      const request = { name, allowRemoval: flags.allowRemoval === true, options: writeOptionsOf(flags) };
      const asking = context.admin().call(AdminService.method.unregisterBackend, request);
      const answer = await unlessMissing(context, flags, asking);
      if (answer === undefined) return;
      context.outcome.putAnswer(WriteResponseSchema, answer);
      printLine(context.io, `  unregistered ${name}  ${writtenText(flags, answer.revision)}`);
      await endWrite(context, flags, answer);
    });
  return addWriteOptions(command);
}
