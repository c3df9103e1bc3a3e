import { Command } from "commander";
import { AdminService } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { ResendResponseSchema } from "../../gen/fairlead/admin/v1/observe_pb.ts";
import { type CliContext, noteLine, printLine } from "../io.ts";
import { unknownText } from "../node-text.ts";
import { addWaitForOneOptions, outputOption, RESOURCE_TYPE, type WaitFlags } from "../options.ts";
import { printResent } from "../wait.ts";

interface ResendFlags extends Pick<WaitFlags, "wait" | "timeout"> {
  readonly type?: string;
}

export function resendCommand(context: CliContext): Command {
  const command = new Command("resend")
    .description("Send a proxy its resources again, and retry at once what it refused")
    .argument("<node>", "the proxy's node.id")
    .option(...RESOURCE_TYPE)
    .addOption(outputOption())
    .addHelpText(
      "after",
      `
Refused resources are retried automatically as well: after a second, then less and less often, at most five minutes apart.

With --wait the command exits with 3 if the proxy refuses a resource again, which it reports in Envoy's words, or does not
acknowledge it in time.

Examples:
  fairlead resend edge-7
  fairlead resend edge-7 --type lds --wait`,
    )
    .action(async (id: string, { type = "", ...flags }: ResendFlags) => {
      const { io } = context;
      const answer = await context.admin().call(AdminService.method.resend, { id, type });
      const { resources, unknownReplicas } = answer;
      context.outcome.putAnswer(ResendResponseSchema, answer);
      for (const unknown of unknownReplicas) noteLine(io, `${unknownText(unknown)}: its proxies are not sent anything`);
      printLine(io, `  sending ${resources} ${resources === 1 ? "resource" : "resources"} to ${id} again`);
      if (flags.wait === true) await printResent(context, { id, type }, { ...flags, onDisconnected: "wait" });
    });
  return addWaitForOneOptions(command, "until the proxy has acknowledged them");
}
