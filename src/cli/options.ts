import { InvalidArgumentError, Option } from "commander";
import { parseDuration } from "../schema/duration-text.ts";

/** Options that several commands share, so that they read and fail alike everywhere. */

const DEFAULT_SERVER = "127.0.0.1:18001";

const DEFAULT_WAIT_MS = 30_000;

/** The address of the admin API: the option, else the environment. It is checked when it is needed. */
export function serverOption(env: Readonly<Record<string, string | undefined>>): Option {
  const fromEnvironment = env["FAIRLEAD_SERVER"];
  return new Option("--server <host:port>", "the plane's admin API; also FAIRLEAD_SERVER").default(
    fromEnvironment ?? DEFAULT_SERVER,
  );
}

export type OutputForm = "table" | "json" | "yaml";

export function outputOption(...forms: readonly OutputForm[]): Option {
  return new Option("-o, --output <form>", "how to print").choices(forms).default(forms[0]);
}

export interface WaitFlags {
  readonly wait?: true;
  readonly timeout: number;
  readonly onDisconnected: "wait" | "skip" | "fail";
  readonly allowEmpty?: true;
  readonly nodes?: readonly string[];
  readonly atLeast?: number;
}

export function waitOptions(what: string): readonly Option[] {
  return [
    new Option("--wait", what),
    new Option("--timeout <duration>", "how long to wait, at most 1h")
      .argParser(duration)
      .default(DEFAULT_WAIT_MS, "30s"),
    new Option("--on-disconnected <what>", "with --wait: what to do about proxies that are away")
      .choices(["wait", "skip", "fail"])
      .default("wait"),
    new Option("--nodes <id...>", "with --wait: only these proxies (default: all that a fleet selects)"),
    new Option("--at-least <number>", "with --wait: enough when so many have acknowledged").argParser(wholeNumber),
    new Option("--allow-empty", "with --wait: fine when no proxy is connected"),
  ];
}

/** For what would leave a service without an eligible backend. */
export function allowRemovalOption(): Option {
  return new Option("--allow-removal", "although no eligible backend is left: clients of the service get 503");
}

export function labelOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser(keyValue).default({}, "none");
}

/** `30s` as milliseconds. */
export function duration(text: string): number {
  const nanoseconds = parseDuration(text);
  if (nanoseconds === undefined) throw new InvalidArgumentError("It is no duration such as 500ms, 30s, 5m or 1h30m.");
  return Math.round(Number(nanoseconds) / 1e6);
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("It is no whole number.");
  return Number(text);
}

/** `SERVICE/BACKEND`. */
export function backendName(text: string): string {
  if (!/^[^/]+\/[^/]+$|^projects\/./.test(text)) {
    throw new InvalidArgumentError("A backend is named SERVICE/BACKEND, for example shop/shop-1.");
  }
  return text;
}

function keyValue(text: string, previous: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("It is no KEY=VALUE.");
  return { ...previous, [text.slice(0, at)]: text.slice(at + 1) };
}
