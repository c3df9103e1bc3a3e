import { type Command, CommanderError } from "commander";
import { type AdminClient, connectAdmin } from "./admin-client.ts";
import { AdminError } from "./admin-error.ts";
import { parseHostPort } from "./bootstrap-config.ts";
import { candidates, wantedNames } from "./complete.ts";
import { planeNames } from "./complete-names.ts";
import { cureFor } from "./cures.ts";
import { jsonText } from "./data-text.ts";
import { CliFailure, EXIT, exitCodeOf, wrongUsage } from "./exit.ts";
import { type CliContext, type CliIo, noteLine, printLine, printText, type StoreDoor } from "./io.ts";
import { toned } from "./line.ts";
import type { PlaneFlags } from "./options.ts";
import { Outcome } from "./outcome.ts";
import { buildProgram } from "./program.ts";

/** Makes a client; `server` may be several addresses separated by commas. */
export type Connect = (server: string, actor: string, requestTimeoutMs: number) => AdminClient;

/**
 * Runs one command line, without the program's own name, and returns the exit code. Never throws.
 *
 * `connect` makes the client for the addresses in `--server`; `further` are commands that are not the CLI's own, and
 * `store` lets commands that can do without a plane open its store.
 */
export async function runCli(
  argv: readonly string[],
  outside: CliIo,
  connect: Connect = connectAdmin,
  further: readonly Command[] = [],
  store?: StoreDoor,
): Promise<number> {
  let admin: AdminClient | undefined;
  let running: Command | undefined;
  const io = {
    ...outside,
    isForPrograms: false,
    // Read each time, since the window may have been resized.
    get columns() {
      return outside.columns;
    },
    get rows() {
      return outside.rows;
    },
  };
  const open = (server: string) => {
    const { actor, requestTimeout } = program.opts<PlaneFlags>();
    return connect(server, actor ?? actorOf(io), requestTimeout);
  };
  const context: CliContext = {
    io,
    admin: () => (admin ??= open(checkServer(program.opts<PlaneFlags>().server))),
    adminAt: open,
    outcome: new Outcome(),
    store,
  };
  const program: Command = buildProgram(context, further, (command) => {
    running = command;
    io.isForPrograms = command.opts<{ output?: string }>().output === "json";
    const { color } = program.opts<PlaneFlags>();
    if (color !== "auto") io.colors = { stdout: color === "always", stderr: color === "always" };
  });
  if (argv[0] === COMPLETE) {
    await complete(context, program, argv.slice(1));
    admin?.close();
    return EXIT.done;
  }
  const { outcome } = context;
  try {
    await program.parseAsync(argv, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.done;
    const { exitCode, lines, cause } = failureOf(error);
    const reason = cause instanceof AdminError ? cause.reason : "";
    const told = [...lines, ...cureFor(reason, running)];
    // Commander has printed its own message.
    if (!(error instanceof CommanderError)) {
      for (const [at, line] of told.entries()) noteLine(io, at === 0 ? [toned("bad", line)] : line);
    }
    outcome.exitCode = exitCode;
    outcome.put({ error: { exitCode, reason, message: told.join("\n") } });
  } finally {
    admin?.close();
  }
  if (isJsonAsked(running, argv) && outcome.document !== undefined) {
    printText(io, jsonText(outcome.document, running?.name() === "watch" ? undefined : 2));
  }
  return outcome.exitCode;
}

/** When the command line could not be parsed, this is judged by its words. */
function isJsonAsked(command: Command | undefined, argv: readonly string[]): boolean {
  if (command !== undefined) return command.opts<{ output?: string }>().output === "json";
  return /(^| )(-o ?|--output[ =])json( |$)/.test(argv.join(" "));
}

async function complete(context: CliContext, program: Command, words: readonly string[]): Promise<void> {
  for (const word of candidates(program, words)) printLine(context.io, word);
  const wanted = wantedNames(program, words);
  if (wanted === undefined) return;
  const given = words.indexOf("--server") + 1;
  if (given > 0) program.setOptionValue("server", words[given] ?? "");
  const typed = words.at(-1) ?? "";
  for (const name of await planeNames(context, wanted)) if (name.startsWith(typed)) printLine(context.io, name);
}

/** What the scripts of `completion` call: not a command for people, and its words are not options. */
const COMPLETE = "__complete";

/** The actor for the journal: `cli:alice`. */
function actorOf({ env }: CliIo): string {
  const user = (env["USER"] ?? env["LOGNAME"] ?? "").replaceAll(/[^A-Za-z0-9._@-]/g, "").slice(0, 64);
  return user === "" ? "cli" : `cli:${user}`;
}

function checkServer(server: string): string {
  const wrong = server.split(",").find((address) => parseHostPort(address) === undefined);
  if (wrong === undefined) return server;
  throw wrongUsage(`--server or FAIRLEAD_SERVER must be HOST:PORT such as 127.0.0.1:18001, not "${wrong}"`);
}

function failureOf(error: unknown): CliFailure {
  if (error instanceof CliFailure) return error;
  if (error instanceof CommanderError) return wrongUsage(error.message.replace(/^error: /, ""));
  if (error instanceof AdminError) return new CliFailure(exitCodeOf(error), errorLines(error), { cause: error });
  const stack = error instanceof Error ? (error.stack ?? "").split("\n").filter((line) => /^ +at /.test(line)) : [];
  return new CliFailure(EXIT.failed, [`this is a bug in fairlead: ${String(error)}`, ...stack]);
}

function errorLines({ message, violations }: AdminError): readonly string[] {
  if (violations.length === 0) return [message];
  return violations.map(({ field, message: why }) => (field === "" ? why : `${field}: ${why}`));
}
