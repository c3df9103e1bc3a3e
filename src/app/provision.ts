import { Command } from "commander";
import { toControlPlaneError } from "../domain/errors.ts";
import { printable } from "../domain/printable.ts";
import { systemClock } from "../runtime/clock.ts";
import { type Host, type Run, runWithSettings } from "./command-settings.ts";
import { NATS_SETTINGS } from "./nats-settings.ts";

/** The command `fairlead provision`. Calls `exit` with 0 when the buckets are as they must be, else 1, or 2 for wrong usage. */
export function provisionCommand(host: Host, exit: (code: number) => unknown): Command {
  const command = new Command("provision")
    .description("Create the buckets for the state in NATS, or change their settings; their content is kept")
    .addHelpText(
      "after",
      "\nNeeded only where the planes' own user may not manage streams; elsewhere, `fairlead up` creates missing buckets itself.\n\n" +
        "Examples:\n" +
        "  fairlead provision --nats nats://10.0.0.1 --nats-nkey provisioner.nk\n" +
        "  fairlead provision --nats nats://10.0.0.1 --nats-replicas 5      # more copies of an existing state\n",
    );
  return runWithSettings(command, NATS_SETTINGS, { host, exit, run: runProvision });
}

const runProvision: Run = async ({ store }, host, complain) => {
  if (store.kind === "embedded") {
    complain("--nats must name the servers; the embedded store needs no provisioning");
    return 2;
  }
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
    complain(toControlPlaneError(thrown).message);
    return 1;
  }
};
