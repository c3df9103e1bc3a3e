import { Command } from "commander";
import { toControlPlaneError } from "../domain/errors.ts";
import { systemClock } from "../runtime/clock.ts";
import { createLogger } from "../runtime/create-logger.ts";
import { interfaceAddresses } from "../runtime/interfaces.ts";
import { LogSink } from "../runtime/log-sink.ts";
import { systemRandom } from "../runtime/random.ts";
import { type Escaped, type Host, type Run, runWithSettings } from "./command-settings.ts";
import { SETTINGS } from "./config.ts";
import type { Running } from "./start.ts";

/**
 * The command `fairlead up`. Calls `exit` with 0 after an orderly stop, 1 when it could not run or a part of it did not end
 * in time, 2 for a bad configuration, 70 after an exception that escaped every boundary.
 */
export function upCommand(host: Host, exit: (code: number) => unknown): Command {
  const command = new Command("up")
    .description("Run the control plane")
    .addHelpText(
      "after",
      "\nEach option can also be set in the environment, as FAIRLEAD_…, and in the configuration file.\n" +
        "Options take precedence over the environment, and the environment over the file.\n\n" +
        "Examples:\n" +
        "  fairlead up\n" +
        "  fairlead up --data /var/lib/fairlead --xds 127.0.0.1:18000\n" +
        "  fairlead up --nats nats://10.0.0.1,nats://10.0.0.2,nats://10.0.0.3 --replica plane-a\n",
    );
  return runWithSettings(command, SETTINGS, { host, exit, run: runUp });
}

const runUp: Run = async (config, host, complain) => {
  const sink = new LogSink(host.stderr);
  const log = createLogger(config.logLevel, sink);
  const machine = {
    clock: systemClock,
    random: systemRandom,
    log,
    interfaces: interfaceAddresses,
    lostLogLines: () => sink.lost,
  };
  let running: Running | undefined;

  const serve = async () => {
    try {
      // Heard from the beginning: a plane that is told to stop as soon as it serves must stop in an orderly way.
      const stopSignal = host.stopSignal();
      // Loaded here, so the other commands need not wait for what only the plane needs.
      const { start } = await import("./start.ts");
      const starting = start(config, machine);
      running = await Promise.race([starting, stopSignal.then(() => undefined)]);
      if (running === undefined) {
        log.info({ reason: await stopSignal }, "stopping before it was serving");
        const ended = starting.then(
          (late) => late.stop(0),
          () => undefined,
        );
        await Promise.race([ended, systemClock.sleep(config.stopGraceMs)]);
        return EXIT.stopped;
      }
      const reason = await Promise.race([stopSignal, running.failed]);
      log.info({ reason }, "stopping");
      const left = await running.stop(config.stopGraceMs);
      if (left.length === 0) log.info({}, "stopped");
      else log.error({ left }, "stopped, although these parts have not ended");
      return left.length === 0 ? EXIT.stopped : EXIT.failed;
    } catch (thrown) {
      log.debug({ err: thrown }, "cannot run");
      complain(toControlPlaneError(thrown).message);
      await running?.stop(0);
      return EXIT.failed;
    }
  };
  /** An exception leaves work half done, and nobody knows which: the proxies are better off with what they have. */
  const endEscaped = async ({ thrown, origin }: Escaped) => {
    log.fatal({ err: thrown, origin }, "an uncaught exception ends the plane");
    await running?.stop(0);
    return EXIT.escaped;
  };
  const code = await Promise.race([host.escaped().then(endEscaped), serve()]);
  await Promise.race([sink.flush(), systemClock.sleep(FLUSH_MS)]);
  return code;
};

const EXIT = { stopped: 0, failed: 1, escaped: 70 } as const;

/** Time for the log's reader to take the last lines. */
const FLUSH_MS = 100;
