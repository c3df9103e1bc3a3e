import type { Command } from "commander";
import type { AdminClient } from "./admin-client.ts";
import { CliFailure, EXIT, NOTHING_CHANGED } from "./exit.ts";
import type { CliContext } from "./io.ts";

/** Runs with a client of the store that the command's options name, or else of the plane. With a store, `--wait` is refused. */
export async function withStoreOrPlane(
  context: CliContext,
  { command, wait }: { readonly command: Command; readonly wait: true | undefined },
  run: (admin: AdminClient) => Promise<void>,
): Promise<void> {
  const named = wait === true ? context.store?.named(command) : undefined;
  if (named !== undefined) {
    throw new CliFailure(
      EXIT.usage,
      `--wait needs a plane that proxies are connected to: leave it out with --${named}`,
    );
  }
  const served = await context.store?.serve(command).catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    throw new CliFailure(EXIT.failed, [message, NOTHING_CHANGED], { cause: error });
  });
  if (served === undefined) return await run(context.admin());
  if ("complaints" in served) throw new CliFailure(EXIT.usage, served.complaints);
  const own = context.adminAt(served.server);
  try {
    await run(own);
  } finally {
    own.close();
    await served.stop();
  }
}
