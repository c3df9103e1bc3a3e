import { Command } from "commander";
import { toControlPlaneError } from "../domain/errors.ts";
import { systemClock } from "../runtime/clock.ts";
import { interfaceAddresses } from "../runtime/interfaces.ts";
import { createLogger } from "../runtime/logger.ts";
import { systemRandom } from "../runtime/random.ts";
import { addSettings, complain, type Host, readSettings } from "./command-settings.ts";
import { SETTINGS } from "./config.ts";

/** The command `fairlead up`. Calls `exit` with 0 after an orderly stop, 1 when it could not run, 2 for a bad configuration. */
export function upCommand(host: Host, exit: (code: number) => void): Command {
  const command = new Command("up")
    .description("run the control plane")
    .addHelpText(
      "after",
      "\nEach option is also read from FAIRLEAD_… in the environment and from the file;\n" +
        "an option beats the environment, the environment beats the file.\n\n" +
        "Examples:\n" +
        "  fairlead up\n" +
        "  fairlead up --data /var/lib/fairlead --xds 127.0.0.1:18000\n" +
        "  fairlead up --nats nats://10.0.0.1,nats://10.0.0.2,nats://10.0.0.3 --replica plane-a\n",
    );
  return addSettings(command, SETTINGS).action(async (_options, self: Command) => {
    exit(await runUp(self, host));
  });
}

async function runUp(command: Command, host: Host): Promise<number> {
  const read = readSettings(command, host);
  if ("complaints" in read) {
    for (const line of read.complaints) complain(host, `fairlead up: ${line}`);
    return 2;
  }

  const log = createLogger(read.config.logLevel);
  try {
    // Loaded here, so that the other commands need not wait for what only the plane needs.
    const { start } = await import("./start.ts");
    const machine = { clock: systemClock, random: systemRandom, log, interfaces: interfaceAddresses };
    const running = await start(read.config, machine);
    const reason = await Promise.race([host.stopSignal(), running.failed]);
    log.info({ reason }, "stopping");
    await running.stop();
    log.info({}, "stopped");
    return 0;
  } catch (thrown) {
    const error = toControlPlaneError(thrown);
    log.debug({ err: thrown }, "cannot run");
    complain(host, `fairlead up: ${error.message}`);
    return 1;
  }
}
