import { Command } from "commander";
import { printable } from "../domain/printable.ts";
import { applyCommand } from "./commands/apply.ts";
import { backupCommand } from "./commands/backup.ts";
import { bootstrapCommand } from "./commands/bootstrap.ts";
import { completionCommand } from "./commands/completion.ts";
import { deleteCommand } from "./commands/delete.ts";
import { drainCommand } from "./commands/drain.ts";
import { explainCommand } from "./commands/explain.ts";
import { exportCommand } from "./commands/export.ts";
import { forgetCommand } from "./commands/forget.ts";
import { getCommand } from "./commands/get.ts";
import { healthCommand } from "./commands/health.ts";
import { historyCommand } from "./commands/history.ts";
import { importCommand } from "./commands/import.ts";
import { nodeCommand } from "./commands/node.ts";
import { nodesCommand } from "./commands/nodes.ts";
import { registerCommand } from "./commands/register.ts";
import { resendCommand } from "./commands/resend.ts";
import { restoreCommand } from "./commands/restore.ts";
import { rollbackCommand } from "./commands/rollback.ts";
import { schemaCommand } from "./commands/schema.ts";
import { statusCommand } from "./commands/status.ts";
import { unregisterCommand } from "./commands/unregister.ts";
import { upgradeCommand } from "./commands/upgrade.ts";
import { versionCommand, versionText } from "./commands/version.ts";
import { watchCommand } from "./commands/watch.ts";
import { wrongUsage } from "./exit.ts";
import { type CliContext, noteText, printText } from "./io.ts";
import { planeOptions } from "./options.ts";

/**
 * The whole command line, to run it, to show its help and to complete it. `further` commands come first; `begin` is called
 * with the command that is about to run.
 */
export function buildProgram(
  context: CliContext,
  further: readonly Command[] = [],
  begin: (command: Command) => void = () => undefined,
): Command {
  const { io } = context;
  const program = new Command("fairlead")
    .description("A load-balancer control plane for Envoy. A running one is called a plane.")
    .version(versionText(), "-V, --version", "print the version of this program")
    .helpOption("-h, --help", "show this help")
    .commandsGroup("Other commands:")
    .helpCommand("help [command]", "Show the help of a command")
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => printText(io, text),
      writeErr: (text) => noteText(io, text),
      outputError: (text, write) => write(complaintText(text)),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .exitOverride()
    .showHelpAfterError("(--help shows the options and examples)")
    .hook("preAction", (_program, command) => {
      begin(command);
      refuseEmptyOptions(command);
      refuseExitCodeAlone(command);
    })
    .addHelpText(
      "after",
      `
Each command has its own help: fairlead COMMAND --help

Exit codes:
  0   done
  1   refused by the plane, or failed
  2   wrong usage
  3   the change was made, but what --wait waits for did not happen in time
  4   the plane cannot be reached
  5   what the command names does not exist
  6   another change came first, or the plane is not ready: try again
  10  with --detailed-exitcode: the dry run would change something`,
    );
  for (const option of planeOptions(io.env)) program.addOption(option);
  for (const command of further) adopt(program, command.helpGroup(PLANE));
  for (const [heading, builders] of Object.entries(COMMANDS)) {
    for (const build of builders) adopt(program, build(context).helpGroup(heading));
  }
  return program;
}

/** A command, and those in it, fail as the program does. */
function adopt(program: Command, command: Command): void {
  for (const inner of command.commands) inner.copyInheritedSettings(program);
  program.addCommand(command.copyInheritedSettings(program));
}

/** An option with an empty value comes from a variable that was never set; that is not the same as leaving it out. */
function refuseEmptyOptions(command: Command): void {
  for (let each: Command | null = command; each !== null; each = each.parent) {
    for (const option of each.options) {
      const name = option.attributeName();
      if (each.getOptionValue(name) !== "" || each.getOptionValueSource(name) !== "cli") continue;
      throw wrongUsage(`${option.long} has no value: give it one, or leave it out`);
    }
  }
}

function refuseExitCodeAlone(command: Command): void {
  if (command.getOptionValue("detailedExitcode") !== true || command.getOptionValue("dryRun") === true) return;
  throw wrongUsage("--detailed-exitcode needs --dry-run");
}

/** A complaint quotes what was typed, and must stay on one line; commander's suggestion has a line of its own. */
function complaintText(text: string): string {
  const [, complaint = "", suggestion = ""] = /^(?:error: )?(.*?)(\n\(Did you mean [^\n]*\))?\n$/s.exec(text) ?? [
    "",
    text,
  ];
  return `${printable(complaint)}${suggestion}\n`;
}

const PLANE = "Control plane:";

/** In the order of the help, by its headings. */
const COMMANDS: Readonly<Record<string, readonly ((context: CliContext) => Command)[]>> = {
  "Objects:": [applyCommand, getCommand, deleteCommand, historyCommand, rollbackCommand],
  "Backends:": [registerCommand, unregisterCommand, drainCommand, healthCommand],
  "Proxies:": [bootstrapCommand, nodesCommand, nodeCommand, resendCommand, forgetCommand],
  "Observing:": [statusCommand, explainCommand, watchCommand],
  "Whole state:": [exportCommand, importCommand, backupCommand, restoreCommand],
  [PLANE]: [upgradeCommand],
  "Other commands:": [schemaCommand, completionCommand, versionCommand],
};
