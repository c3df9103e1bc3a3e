import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { type Command, Option } from "commander";
import { parse, YAMLParseError } from "yaml";
import { printable } from "../domain/printable.ts";
import type { LogTarget } from "../runtime/log-sink.ts";
import { type Config, environmentName, readConfig } from "./config.ts";
import type { Setting } from "./setting.ts";

/** An exception that no boundary caught. */
export interface Escaped {
  readonly thrown: unknown;
  readonly origin: NodeJS.UncaughtExceptionOrigin;
}

/** What the plane's commands need from the process that they run in. */
export interface Host {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: LogTarget;
  /** Resolves with the name of the first signal that asks the process to stop. A second one ends it at once. */
  readonly stopSignal: () => Promise<string>;
  /** Resolves with the first exception that escapes; from this call on, none ends the process by itself. */
  readonly escaped: () => Promise<Escaped>;
}

/** Gives a command an option for each setting, and one for the configuration file. */
export function addSettings(command: Command, settings: readonly Setting[]): Command {
  command.option("--config <FILE>", "YAML file whose keys are the names of the options, without the leading dashes");
  for (const { key, placeholder, description, default: fallback, flag } of settings) {
    const flags = flag ? `--${key}` : `--${key} <${placeholder}>`;
    command.addOption(new Option(flags, fallback === undefined ? description : `${description} (default ${fallback})`));
  }
  return command;
}

/** What a command does with its configuration; `complain` writes a line for a person. Returns the exit code. */
export type Run = (config: Config, host: Host, complain: (text: string) => void) => Promise<number>;

/** Gives a command the options of these settings. It exits with 2 for a bad configuration, else with what `run` returns. */
export function runWithSettings(
  command: Command,
  settings: readonly Setting[],
  { host, exit, run }: { readonly host: Host; readonly exit: (code: number) => unknown; readonly run: Run },
): Command {
  return addSettings(command, settings).action(async (_options, self: Command) => {
    // Whatever paths, keys and file contents it quotes.
    const complain = (text: string) =>
      host.stderr.write(`fairlead ${self.name()}: ${printable(text)}\n`, () => undefined);
    const read = readSettings(self, host);
    if ("complaints" in read) for (const line of read.complaints) complain(line);
    await exit("config" in read ? await run(read.config, host, complain) : BAD_CONFIGURATION);
  });
}

const BAD_CONFIGURATION = 2;

/** The configuration from options, environment and file, or its faults, one line each. */
export function readSettings(command: Command, { environment }: Host): { config: Config } | { complaints: string[] } {
  const options: Record<string, string | boolean | undefined> = {};
  for (const option of command.options) options[option.name()] = command.getOptionValue(option.attributeName());

  let file: Record<string, unknown> = {};
  const path = options["config"] ?? environment[environmentName("config")];
  if (typeof path === "string") {
    if (path === "") return { complaints: ["--config or FAIRLEAD_CONFIG is empty: leave it out, or name a file"] };
    try {
      file = (parse(readFileSync(path, "utf8"), { logLevel: "error" }) as Record<string, unknown> | null) ?? {};
    } catch (thrown) {
      return { complaints: [`cannot read the configuration file ${path}: ${withoutContent(thrown)}`] };
    }
    if (typeof file !== "object" || Array.isArray(file))
      return { complaints: [`the configuration file ${path} must contain keys and values`] };
  }
  const read = readConfig({ options, environment, file, hostName: hostname() });
  if ("config" in read) return read;
  return { complaints: read.violations.map(({ field, message }) => `${field}: ${message}`) };
}

/** Why a file cannot be read, and where in it; never its content, since that may be a password. */
function withoutContent(thrown: unknown): string {
  if (thrown instanceof YAMLParseError) {
    const [at] = thrown.linePos ?? [];
    return `it is not valid YAML (${thrown.code})${at === undefined ? "" : ` at line ${at.line}, column ${at.col}`}`;
  }
  return thrown instanceof Error && "syscall" in thrown ? thrown.message : "it is not valid YAML";
}
