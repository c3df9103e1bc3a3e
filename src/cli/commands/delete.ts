import { Command } from "commander";
import { AdminService } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { signPiece } from "../change-text.ts";
import { wrongUsage } from "../exit.ts";
import { type CliContext, printLine } from "../io.ts";
import type { Removal } from "../kind-entry.ts";
import { DELETABLE_KINDS } from "../kinds.ts";
import { kindNamed, kindsText, namedObject } from "../object-reference.ts";
import { addWriteOptions, IGNORE_MISSING, writeOptionsOf, writtenText } from "../options.ts";
import { endWrite, type MissingFlags, unlessMissing } from "../write.ts";

interface DeleteFlags extends MissingFlags {
  readonly force?: true;
}

export function deleteCommand(context: CliContext): Command {
  const command = new Command("delete")
    .description("Delete an object, or a stored record that cannot be read")
    .argument("<kind>", `${kindsText(DELETABLE_KINDS)}, or record; also as KIND/NAME`)
    .argument("[name]", "its name; of a record, the key that `fairlead status` shows")
    .option(
      "--force",
      "proceed even if others refer to it; also delete a service's backends, or the last eligible backend",
    )
    .option(...IGNORE_MISSING)
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
  return addWriteOptions(command);
}

async function deleteObject(context: CliContext, kind: string, name: string, flags: DeleteFlags): Promise<void> {
  const removal = { force: flags.force === true, options: writeOptionsOf(flags) };
  const answer = await unlessMissing(context, flags, remove(context, kind, name, removal));
  if (answer === undefined) return;
  context.outcome.put({ kind: answer.kind, name, revision: answer.revision });
  printLine(context.io, ["  ", signPiece("-"), ` ${answer.kind} ${name}  ${writtenText(flags, answer.revision)}`]);
  await endWrite(context, flags, answer);
}

async function remove(context: CliContext, kind: string, name: string, removal: Removal) {
  if (kind === "record") {
    const { options } = removal;
    const { revision } = await context.admin().call(AdminService.method.deleteRecord, { key: name, options });
    return { kind, revision };
  }
  const entry = kindNamed(kind);
  if (entry.remove === undefined) {
    throw wrongUsage("to withdraw a verdict, use: fairlead health SERVICE/BACKEND --clear");
  }
  return { kind: entry.kind, revision: await entry.remove(context.admin(), name, removal) };
}
