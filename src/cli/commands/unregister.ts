import { Command } from "commander";
import { AdminService } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { WriteResponseSchema } from "../../gen/fairlead/admin/v1/write_pb.ts";
import { type MissingFlags, unlessMissing } from "../ignore-missing.ts";
import { type CliContext, printLine } from "../io.ts";
import {
  allowRemovalOption,
  backendName,
  ignoreMissingOption,
  outputOption,
  waitOptions,
  writeOptions,
  writeOptionsOf,
  writtenText,
} from "../options.ts";
import { printWait } from "../wait.ts";

interface UnregisterFlags extends MissingFlags {
  readonly allowRemoval?: true;
}

export function unregisterCommand(context: CliContext): Command {
  const command = new Command("unregister")
    .description("Remove a backend at once; `drain` lets it finish first")
    .argument("<backend>", "SERVICE/BACKEND", backendName)
    .addOption(allowRemovalOption())
    .addOption(ignoreMissingOption())
    .addOption(outputOption("table", "json"))
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
      const { revision } = answer;
      context.outcome.putAnswer(WriteResponseSchema, answer);
      printLine(context.io, `  unregistered ${name}  ${writtenText(flags, revision)}`);
      context.outcome.endDryRun(flags, true);
      if (flags.wait === true && flags.dryRun !== true) await printWait(context, revision, flags);
    });
  for (const option of [...writeOptions(), ...waitOptions("return when the proxies have acknowledged it")])
    command.addOption(option);
  return command;
}
