import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { Command, Option } from "commander";
import { parse } from "yaml";
import { toControlPlaneError, type Violation } from "../domain/errors.ts";
import { systemClock } from "../runtime/clock.ts";
import { createLogger } from "../runtime/logger.ts";
import { systemRandom } from "../runtime/random.ts";
import { environmentName, readConfig, SETTINGS } from "./config.ts";

/** What `up` needs of the process it runs in. */
export interface Host {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stderr: { write(text: string): void };
  /** Resolves with the name of the first signal that asks the process to stop. */
  readonly stopSignal: () => Promise<string>;
}

/** The command `fairlead up`. Calls `exit` with 0 after an orderly stop, 1 when it could not run, 2 for a bad configuration. */
export function upCommand(host: Host, exit: (code: number) => void): Command {
  const command = new Command("up")
    .description("run the control plane")
    .option("--config <FILE>", "YAML file with the same keys as the options, without the dashes")
    .addHelpText(
      "after",
      "\nEach option is also read from FAIRLEAD_… in the environment and from the file;\n" +
        "an option beats the environment, the environment beats the file.\n\n" +
        "Examples:\n" +
        "  fairlead up\n" +
        "  fairlead up --data /var/lib/fairlead --xds 127.0.0.1:18000\n" +
        "  fairlead up --nats nats://10.0.0.1,nats://10.0.0.2,nats://10.0.0.3 --replica plane-a\n",
    );
  for (const setting of SETTINGS) {
    const flags = "flag" in setting ? `--${setting.key}` : `--${setting.key} <${setting.placeholder}>`;
    const fallback = "default" in setting ? ` (default ${setting.default})` : "";
    command.addOption(new Option(flags, `${setting.description}${fallback}`));
  }
  return command.action(async (_options, self: Command) => {
    exit(await runUp(self, host));
  });
}

async function runUp(command: Command, host: Host): Promise<number> {
  const options: Record<string, string | boolean | undefined> = {};
  for (const option of command.options) options[option.name()] = command.getOptionValue(option.attributeName());
  const complain = (lines: readonly string[]) => {
    for (const line of lines) host.stderr.write(`fairlead up: ${line}\n`);
    return 2;
  };

  let file: Record<string, unknown> = {};
  const path = options["config"] ?? host.environment[environmentName("config")];
  if (typeof path === "string") {
    try {
      file = (parse(readFileSync(path, "utf8")) as Record<string, unknown> | null) ?? {};
    } catch (thrown) {
      return complain([`cannot read the configuration file ${path}: ${(thrown as Error).message}`]);
    }
    if (typeof file !== "object" || Array.isArray(file)) return complain([`${path} must hold keys and values`]);
  }
  const read = readConfig({ options, environment: host.environment, file, hostName: hostname() });
  if ("violations" in read) {
    return complain(read.violations.map(({ field, message }: Violation) => `${field}: ${message}`));
  }

  const log = createLogger(read.config.logLevel);
  try {
    // Loaded here, so that the other commands need not wait for what only the plane needs.
    const { start } = await import("./start.ts");
    const running = await start(read.config, { clock: systemClock, random: systemRandom, log });
    const reason = await Promise.race([host.stopSignal(), running.failed]);
    log.info({ reason }, "stopping");
    await running.stop();
    log.info({}, "stopped");
    return 0;
  } catch (thrown) {
    const error = toControlPlaneError(thrown);
    log.debug({ err: thrown }, "cannot run");
    host.stderr.write(`fairlead up: ${error.message}\n`);
    return 1;
  }
}
