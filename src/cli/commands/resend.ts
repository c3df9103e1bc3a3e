import { Command } from "commander";
import { AdminService } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { ResendResponseSchema } from "../../gen/fairlead/admin/v1/observe_pb.ts";
import { type CliContext, noteLine, printLine } from "../io.ts";
import { unknownText } from "../node-text.ts";
import { outputOption, type WaitFlags, waitForOneOptions } from "../options.ts";
import { printResent } from "../wait.ts";

interface ResendFlags extends Pick<WaitFlags, "wait" | "timeout"> {
  readonly type?: string;
}

export function resendCommand(context: CliContext): Command {
  const command = new Command("resend")
    .description("Send a proxy again what it should have; what it refused is tried again now")
    .argument("<node>", "Envoy's node.id")
    .option("--type <type>", "only resources of this type: CDS, EDS, LDS, RDS, …")
    .addOption(outputOption("table", "json"))
    .addHelpText(
      "after",
      `
What a proxy refused is tried again by itself, after a second and then ever more rarely, up to five minutes apart.

With --wait it exits with 3 when the proxy refuses it again, in Envoy's words, or has not acknowledged it in time.

Examples:
  fairlead resend edge-7
  fairlead resend edge-7 --type lds --wait`,
    )
    .action(async (id: string, { type = "", ...flags }: ResendFlags) => {
      const { io } = context;
      const answer = await context.admin().call(AdminService.method.resend, { id, type });
      const { resources, unknownReplicas } = answer;
      context.outcome.putAnswer(ResendResponseSchema, answer);
      for (const unknown of unknownReplicas) noteLine(io, `${unknownText(unknown)}: what it holds is not sent again`);
      printLine(io, `${id}: ${resources} ${resources === 1 ? "resource goes" : "resources go"} to it again`);
      if (flags.wait === true) await printResent(context, { id, type }, { ...flags, onDisconnected: "wait" });
    });
  for (const option of waitForOneOptions("return when the proxy has acknowledged it")) command.addOption(option);
  return command;
}
