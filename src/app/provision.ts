import { Command } from "commander";
import { toControlPlaneError } from "../domain/errors.ts";
import { printable } from "../domain/printable.ts";
import { systemClock } from "../runtime/clock.ts";
import { addSettings, complain, type Host, readSettings } from "./command-settings.ts";
import { NATS_SETTINGS } from "./nats-settings.ts";

/** The command `fairlead provision`. Calls `exit` with 0 when the buckets are as they must be, else 1, or 2 for wrong usage. */
export function provisionCommand(host: Host, exit: (code: number) => unknown): Command {
  const command = new Command("provision")
    .description("make the buckets of the state in NATS, or change their settings; what is in them stays")
    .addHelpText(
      "after",
      "\nFor where the planes' own user may not manage streams; otherwise `fairlead up` makes missing buckets itself.\n\n" +
        "Examples:\n" +
        "  fairlead provision --nats nats://10.0.0.1 --nats-nkey provisioner.nk\n" +
        "  fairlead provision --nats nats://10.0.0.1 --nats-replicas 5      # more copies of an existing state\n",
    );
  return addSettings(command, NATS_SETTINGS).action(async (_options, self: Command) => {
    await exit(await runProvision(self, host));
  });
}

async function runProvision(command: Command, host: Host): Promise<number> {
  const refuse = (lines: readonly string[], code: number) => {
    for (const line of lines) complain(host, `fairlead provision: ${line}`);
    return code;
  };
  const read = readSettings(command, host);
  if ("complaints" in read) return refuse(read.complaints, 2);
  const { store } = read.config;
  if (store.kind === "embedded") return refuse(["--nats must name the servers; the embedded store needs nothing"], 2);
  try {
    const [{ provisionNats }, { natsSecurity }] = await Promise.all([
      import("../nats/provision.ts"),
      import("../nats/security.ts"),
    ]);
    const { servers, bucket, copies, login, tls } = store;
    const security = natsSecurity(login, tls);
    const all = await provisionNats({ servers, security, bucket, replicas: copies, clock: systemClock });
    for (const { stream, outcome } of all) host.stdout.write(`${printable(`stream ${stream}: ${outcome}`)}\n`);
    return 0;
  } catch (thrown) {
    return refuse([toControlPlaneError(thrown).message], 1);
  }
}
