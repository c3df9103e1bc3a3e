import { Command } from "commander";
import { AdminService } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { type CliContext, printLine } from "../io.ts";
import { kindNamed } from "../kinds.ts";
import { type WaitFlags, waitOptions, wholeNumber } from "../options.ts";
import { printWait } from "../wait.ts";

interface RollbackFlags extends WaitFlags {
  readonly to: number;
  readonly reason?: string;
}

export function rollbackCommand(context: CliContext): Command {
  const command = new Command("rollback")
    .description("Write an earlier content of an object again, as a new generation")
    .argument("<kind>", "service, policy, listener, route or fleet")
    .argument("<name>")
    .requiredOption("--to <generation>", "the generation to write again; `history` lists them", wholeNumber)
    .option("--reason <text>", "why, for the journal")
    .addHelpText(
      "after",
      `
Examples:
  fairlead rollback route shop --to 17 --wait`,
    )
    .action(async (kind: string, name: string, flags: RollbackFlags) => {
      const entry = kindNamed(kind);
      const { revision } = await context.admin().call(AdminService.method.rollback, {
        kind: entry.kind,
        name,
        toGeneration: BigInt(flags.to),
        options: { reason: flags.reason ?? "" },
      });
      printLine(context.io, `  ~ ${entry.kind} ${name}  as in generation ${flags.to}  revision ${revision}`);
      if (flags.wait === true) await printWait(context, revision, flags);
    });
  for (const option of waitOptions("return when the proxies have acknowledged it")) command.addOption(option);
  return command;
}
