import { type Command, CommanderError } from "commander";
import { type AdminClient, connectAdmin } from "./admin-client.ts";
import { AdminError } from "./admin-error.ts";
import { CliFailure, EXIT } from "./exit.ts";
import type { CliIo } from "./io.ts";
import { buildProgram } from "./program.ts";

/**
 * Runs one command line, without the program's own name, and returns the exit code. Never throws.
 *
 * `connect` makes the client for the address that `--server` gives.
 */
export async function runCli(
  argv: readonly string[],
  io: CliIo,
  connect: (server: string) => AdminClient = connectAdmin,
): Promise<number> {
  let admin: AdminClient | undefined;
  const program: Command = buildProgram({
    io,
    admin: () => (admin ??= connect(program.opts<{ server: string }>().server)),
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    return EXIT.done;
  } catch (error) {
    return report(io, error);
  } finally {
    admin?.close();
  }
}

function report(io: CliIo, error: unknown): number {
  // Commander has printed its message, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error instanceof CliFailure) {
    io.stderr.write(`${error.message}\n`);
    return error.exitCode;
  }
  if (error instanceof AdminError) {
    io.stderr.write(`${errorText(error)}\n`);
    return error.isUnreachable ? EXIT.unreachable : EXIT.failed;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  io.stderr.write(`this is a bug of fairlead: ${text}\n`);
  return EXIT.failed;
}

function errorText({ message, violations }: AdminError): string {
  if (violations.length === 0) return message;
  return violations.map(({ field, message: why }) => (field === "" ? why : `${field}: ${why}`)).join("\n");
}
