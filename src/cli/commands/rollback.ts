import { Command } from "commander";
import { AdminService, RollbackResponseSchema } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { type CliContext, printLine } from "../io.ts";
import { kindNamed } from "../kinds.ts";
import {
  outputOption,
  type WaitFlags,
  type WriteFlags,
  waitOptions,
  wholeNumber,
  writeOptions,
  writeOptionsOf,
  writtenText,
} from "../options.ts";
import { printWait } from "../wait.ts";

interface RollbackFlags extends WaitFlags, WriteFlags {
  readonly to: number;
}

export function rollbackCommand(context: CliContext): Command {
  const command = new Command("rollback")
    .description("Write an earlier content of an object again, as a new generation")
    .argument("<kind>", "service, policy, listener, route or fleet")
    .argument("<name>")
    .requiredOption("--to <generation>", "the generation to write again; `history` lists them", wholeNumber)
    .addOption(outputOption("table", "json"))
    .addHelpText(
      "after",
      `
Examples:
  fairlead rollback route shop --to 17 --wait`,
    )
    .action(async (kind: string, name: string, flags: RollbackFlags) => {
      const entry = kindNamed(kind);
      const answer = await context.admin().call(AdminService.method.rollback, {
        kind: entry.kind,
        name,
        toGeneration: BigInt(flags.to),
        options: writeOptionsOf(flags),
      });
      const { revision } = answer;
      context.outcome.putAnswer(RollbackResponseSchema, answer);
      printLine(context.io, `  ~ ${entry.kind} ${name}  as in generation ${flags.to}  ${writtenText(flags, revision)}`);
      context.outcome.endDryRun(flags, revision === "");
      if (flags.wait === true && flags.dryRun !== true) await printWait(context, revision, flags);
    });
  for (const option of [...writeOptions(), ...waitOptions("return when the proxies have acknowledged it")])
    command.addOption(option);
  return command;
}
