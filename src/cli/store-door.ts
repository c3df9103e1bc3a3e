import type { Command } from "commander";
import type { AdminClient } from "./admin-client.ts";
import { refusedWhole, wrongUsage } from "./exit.ts";
import type { CliContext } from "./io.ts";

/** For the help of commands that replace the whole state. */
export const REPLACING = `The replacement is one step: until then the plane serves what it has. It begins a new epoch, in which no earlier version or
revision counts. All replicas follow by themselves, and proxies are sent only what differs.`;

export const WITHOUT_PLANE = `With --data, --nats or --config the command needs no plane: it opens the store itself, even one from which no plane can start.
It is refused while a plane serves from that store.`;

/** Runs with a client of the store that the command's options name, or else of the plane. With a store, `--wait` is refused. */
export async function withStoreOrPlane(
  context: CliContext,
  { command, wait }: { readonly command: Command; readonly wait: true | undefined },
  run: (admin: AdminClient) => Promise<void>,
): Promise<void> {
  const named = wait === true ? context.store?.named(command) : undefined;
  if (named !== undefined)
    throw wrongUsage(`--wait needs a plane with connected proxies: leave it out with --${named}`);
  const served = await context.store?.serve(command).catch((error: unknown) => {
    throw refusedWhole([error instanceof Error ? error.message : String(error)], error);
  });
  if (served === undefined) return await run(context.admin());
  if ("complaints" in served) throw wrongUsage(served.complaints);
  const own = context.adminAt(served.server);
  try {
    await run(own);
  } finally {
    own.close();
    await served.stop();
  }
}
