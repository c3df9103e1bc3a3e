import { Command } from "commander";
import { AdminService } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { signPiece } from "../change-text.ts";
import { type CliContext, printLine } from "../io.ts";
import { addWriteOptions, IGNORE_MISSING, writeOptionsOf, writtenText } from "../options.ts";
import { endWrite, type MissingFlags, unlessMissing } from "../write.ts";

export function forgetCommand(context: CliContext): Command {
  const command = new Command("forget")
    .description("Take a proxy that is gone, and will not come back, out of the record")
    .argument("<node>", "its node.id; also as node/ID")
    .option(...IGNORE_MISSING)
    .addHelpText(
      "after",
      `
A proxy that is gone is a problem until it is back, forgotten, or past \`forgetAfter\` of its fleet. One that is connected cannot
be forgotten.

Examples:
  fairlead forget node/edge-7
  fairlead forget edge-7 --ignore-missing`,
    )
    .action(async (node: string, flags: MissingFlags) => {
      const id = node.replace(/^node\//, "");
      const asking = context.admin().call(AdminService.method.forgetNode, { id, options: writeOptionsOf(flags) });
      const answer = await unlessMissing(context, flags, asking);
      if (answer === undefined) return;
      context.outcome.put({ kind: "node", name: id, revision: answer.revision });
      printLine(context.io, ["  ", signPiece("-"), ` node ${id}  ${writtenText(flags, answer.revision)}`]);
      await endWrite(context, flags, answer);
    });
  return addWriteOptions(command);
}
