import type { Command } from "commander";
import { systemClock } from "../runtime/clock.ts";
import { createLogger } from "../runtime/create-logger.ts";
import { LogSink } from "../runtime/log-sink.ts";
import { systemRandom } from "../runtime/random.ts";
import { addSettings, type Host, readSettings } from "./command-settings.ts";
import { SETTINGS } from "./config.ts";
import { NATS_SETTINGS } from "./nats-settings.ts";

/** The options that name a store. */
const STORE_SETTINGS = [...SETTINGS.filter(({ key }) => key === "data"), ...NATS_SETTINGS];
/** Any of these on the command line means a store. A store in the environment is that of this machine's plane. */
const NAMING = ["data", "nats", "config"];

/** Gives commands the options that name a store, and serves the one that they name to this process alone. */
export function storeDoor(host: Host) {
  const named = (command: Command) => NAMING.find((key) => command.getOptionValue(key) !== undefined);
  return {
    addOptions: (command: Command) => addSettings(command, STORE_SETTINGS),
    named,
    serve: async (command: Command) => {
      if (named(command) === undefined) return undefined;
      const read = readSettings(command, host);
      if ("complaints" in read) return read;
      // Loaded here, so the other commands need not wait for it.
      const { serveStore } = await import("./direct-store.ts");
      const log = createLogger("fatal", new LogSink(host.stderr));
      return await serveStore(read.config, { clock: systemClock, random: systemRandom, log });
    },
  };
}
