import { Command } from "commander";
import { AdminService } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { type CliContext, printLine } from "../io.ts";
import { allowRemovalOption, backendName, type WaitFlags, waitOptions } from "../options.ts";
import { printWait } from "../wait.ts";

export function unregisterCommand(context: CliContext): Command {
  const command = new Command("unregister")
    .description("Remove a backend at once; `drain` lets it finish first")
    .argument("<backend>", "SERVICE/BACKEND", backendName)
    .addOption(allowRemovalOption())
    .addHelpText(
      "after",
      `
Examples:
  fairlead unregister shop/shop-4 --wait`,
    )
    .action(async (name: string, flags: WaitFlags & { allowRemoval?: true }) => {
      const request = { name, allowRemoval: flags.allowRemoval === true };
      const { revision } = await context.admin().call(AdminService.method.unregisterBackend, request);
      printLine(context.io, `  unregistered ${name}  revision ${revision}`);
      if (flags.wait === true) await printWait(context, revision, flags);
    });
  for (const option of waitOptions("return when the proxies have acknowledged it")) command.addOption(option);
  return command;
}
