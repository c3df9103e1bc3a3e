import { Command, Option } from "commander";
import { applyCommand } from "./commands/apply.ts";
import { bootstrapCommand } from "./commands/bootstrap.ts";
import { deleteCommand } from "./commands/delete.ts";
import { getCommand } from "./commands/get.ts";
import { nodesCommand } from "./commands/nodes.ts";
import { registerCommand } from "./commands/register.ts";
import { statusCommand } from "./commands/status.ts";
import { unregisterCommand } from "./commands/unregister.ts";
import type { CliContext } from "./io.ts";
import { DEFAULT_SERVER } from "./options.ts";

/** The whole command line, for running it, for its help and for completing it. */
export function buildProgram(context: CliContext): Command {
  const { io } = context;
  const program = new Command("fairlead")
    .description("A load-balancer control plane for Envoy")
    .addOption(
      new Option("--server <host:port>", "the plane's admin API; also FAIRLEAD_SERVER").default(
        io.env.FAIRLEAD_SERVER ?? DEFAULT_SERVER,
      ),
    )
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .exitOverride()
    .showHelpAfterError("(--help shows the options and examples)")
    .addHelpText(
      "after",
      `
Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 not reached in time, 4 the plane cannot be reached.`,
    );
  for (const build of COMMANDS) {
    const command = build(context);
    command.copyInheritedSettings(program);
    program.addCommand(command);
  }
  return program;
}

/** In the order of the help. */
const COMMANDS: readonly ((context: CliContext) => Command)[] = [
  applyCommand,
  getCommand,
  deleteCommand,
  registerCommand,
  unregisterCommand,
  statusCommand,
  nodesCommand,
  bootstrapCommand,
];
