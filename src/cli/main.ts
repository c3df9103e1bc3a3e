import { type Command, CommanderError } from "commander";
import { type AdminClient, connectAdmin } from "./admin-client.ts";
import { AdminError } from "./admin-error.ts";
import { parseHostPort } from "./bootstrap-config.ts";
import { candidates, wantedNames } from "./complete.ts";
import { planeNames } from "./complete-names.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { type CliContext, type CliIo, noteLine, printLine, type StoreDoor } from "./io.ts";
import { buildProgram } from "./program.ts";

/**
 * Runs one command line, without the program's own name, and returns the exit code. Never throws.
 *
 * `connect` makes the client for the address that `--server` gives; `further` are commands that are not the CLI's own, and
 * `store` is how those that can do without a plane open its store.
 */
export async function runCli(
  argv: readonly string[],
  io: CliIo,
  connect: (server: string, actor: string) => AdminClient = connectAdmin,
  further: readonly Command[] = [],
  store?: StoreDoor,
): Promise<number> {
  let admin: AdminClient | undefined;
  const context = {
    io,
    admin: () => (admin ??= connect(checkServer(program.opts<{ server: string }>().server), actorOf(io))),
    adminAt: (server: string) => connect(server, actorOf(io)),
    store,
  };
  const program: Command = buildProgram(context, further);
  if (argv[0] === COMPLETE) {
    await complete(context, program, argv.slice(1));
    admin?.close();
    return EXIT.done;
  }
  try {
    await program.parseAsync(argv, { from: "user" });
    return EXIT.done;
  } catch (error) {
    return report(io, error);
  } finally {
    admin?.close();
  }
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

/** What the scripts of `completion` call: no command for people, and its words are no options. */
const COMPLETE = "__complete";

/** Who the journal names: `cli:alice`. */
function actorOf({ env }: CliIo): string {
  const user = (env["USER"] ?? env["LOGNAME"] ?? "").replaceAll(/[^A-Za-z0-9._@-]/g, "").slice(0, 64);
  return user === "" ? "cli" : `cli:${user}`;
}

function checkServer(server: string): string {
  if (parseHostPort(server) !== undefined) return server;
  if (server === "")
    throw new CliFailure(EXIT.usage, "FAIRLEAD_SERVER is given, and empty: unset it, or name HOST:PORT");
  throw new CliFailure(EXIT.usage, `"${server}" is no HOST:PORT such as 127.0.0.1:18001 (--server or FAIRLEAD_SERVER)`);
}

function report(io: CliIo, error: unknown): number {
  // Commander has printed its message, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error instanceof CliFailure) {
    for (const line of error.lines) noteLine(io, line);
    return error.exitCode;
  }
  if (error instanceof AdminError) {
    for (const line of errorLines(error)) noteLine(io, line);
    return error.isUnreachable ? EXIT.unreachable : EXIT.failed;
  }
  noteLine(io, `this is a bug of fairlead: ${String(error)}`);
  const frames = error instanceof Error ? (error.stack ?? "").split("\n").filter((line) => /^ +at /.test(line)) : [];
  for (const frame of frames) noteLine(io, frame);
  return EXIT.failed;
}

function errorLines({ message, violations }: AdminError): readonly string[] {
  if (violations.length === 0) return [message];
  return violations.map(({ field, message: why }) => (field === "" ? why : `${field}: ${why}`));
}
