import { Command } from "commander";
import { AdminService } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { signPiece } from "../change-text.ts";
import { CliFailure, EXIT } from "../exit.ts";
import { type MissingFlags, unlessMissing } from "../ignore-missing.ts";
import { type CliContext, printLine } from "../io.ts";
import type { Removal } from "../kind-entry.ts";
import { DELETABLE_KINDS } from "../kinds.ts";
import { kindNamed, kindsText, namedObject } from "../object-reference.ts";
import {
  ignoreMissingOption,
  outputOption,
  waitOptions,
  writeOptions,
  writeOptionsOf,
  writtenText,
} from "../options.ts";
import { printWait } from "../wait.ts";

interface DeleteFlags extends MissingFlags {
  readonly force?: true;
}

export function deleteCommand(context: CliContext): Command {
  const command = new Command("delete")
    .description("Delete an object, or a stored record that cannot be read")
    .argument("<kind>", `${kindsText(DELETABLE_KINDS)}; record for what cannot be read; also with the name: route/shop`)
    .argument("[name]", "of a record: its key, as `fairlead status` names it")
    .option(
      "--force",
      "although other objects refer to it; a service also with its backends, the last eligible backend",
    )
    .addOption(ignoreMissingOption())
    .addOption(outputOption("table", "json"))
    .addHelpText(
      "after",
      `
Examples:
  fairlead delete route shop
  fairlead delete svc/shop --force
  fairlead delete route shop --dry-run
  fairlead delete listener web --ignore-missing --wait
  fairlead delete record projects/default/services/shop`,
    )
    .action((word: string, more: string | undefined, flags: DeleteFlags) => {
      const { kind, name } = namedObject(word, more);
      return deleteObject(context, kind, name, flags);
    });
  for (const option of [...writeOptions(), ...waitOptions("return when the proxies have acknowledged it")])
    command.addOption(option);
  return command;
}

async function deleteObject(context: CliContext, kind: string, name: string, flags: DeleteFlags): Promise<void> {
  const removal = { force: flags.force === true, options: writeOptionsOf(flags) };
  const answer = await unlessMissing(context, flags, remove(context, kind, name, removal));
  if (answer === undefined) return;
  context.outcome.put({ kind: answer.kind, name, revision: answer.revision });
  printLine(context.io, ["  ", signPiece("-"), ` ${answer.kind} ${name}  ${writtenText(flags, answer.revision)}`]);
  context.outcome.endDryRun(flags, true);
  if (flags.wait === true && flags.dryRun !== true) await printWait(context, answer.revision, flags);
}

async function remove(context: CliContext, kind: string, name: string, removal: Removal) {
  if (kind === "record") {
    const { options } = removal;
    const { revision } = await context.admin().call(AdminService.method.deleteRecord, { key: name, options });
    return { kind, revision };
  }
  const entry = kindNamed(kind);
  if (entry.remove === undefined) {
    throw new CliFailure(EXIT.usage, "a verdict is taken back with: fairlead health SERVICE/BACKEND --clear");
  }
  return { kind: entry.kind, revision: await entry.remove(context.admin(), name, removal) };
}
