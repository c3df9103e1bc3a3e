import { InvalidArgumentError, Option } from "commander";
import { parseDuration } from "../schema/duration-text.ts";
import { plainBackendName } from "./object-reference.ts";

/** Options that several commands share, so they read and fail alike everywhere. */

const DEFAULT_SERVER = "127.0.0.1:18001";

const DEFAULT_WAIT_MS = 30_000;
const DEFAULT_REQUEST_TIMEOUT_MS = 10_000;
const MIN_REQUEST_TIMEOUT_MS = 100;
const MAX_REQUEST_TIMEOUT_MS = 3_600_000;
/** The API's limit. */
const MAX_ACTOR_LENGTH = 128;

/** Options of the program: where the plane is, and how to ask it. */
export interface PlaneFlags {
  readonly server: string;
  readonly requestTimeout: number;
  readonly actor?: string;
  readonly color: "auto" | "always" | "never";
}

/** The admin API's address comes from the option, else from the environment. It is checked when it is needed. */
export function planeOptions(env: Readonly<Record<string, string | undefined>>): readonly Option[] {
  const fromEnvironment = env["FAIRLEAD_SERVER"];
  return [
    new Option(
      "--server <host:port[,host:port…]>",
      "the plane's admin API; of several replicas the first that answers; also FAIRLEAD_SERVER",
    ).default(fromEnvironment ?? DEFAULT_SERVER),
    new Option("--request-timeout <duration>", "what a plane that hangs may cost, 100ms to 1h")
      .argParser(requestTimeout)
      .default(DEFAULT_REQUEST_TIMEOUT_MS, "10s"),
    new Option("--actor <name>", "who the journal names for writes (default: cli:USER)").argParser(actor),
    new Option("--color <when>", "auto: on a terminal, unless NO_COLOR is set; never in JSON and YAML")
      .choices(["auto", "always", "never"])
      .default("auto"),
  ];
}

function requestTimeout(text: string): number {
  const ms = duration(text);
  if (ms >= MIN_REQUEST_TIMEOUT_MS && ms <= MAX_REQUEST_TIMEOUT_MS) return ms;
  throw new InvalidArgumentError("It must be from 100ms to 1h.");
}

/** Accepts only what gRPC metadata can carry. */
function actor(text: string): string {
  if (text.length <= MAX_ACTOR_LENGTH && /^[\x20-\x7e]*$/.test(text)) return text;
  throw new InvalidArgumentError(
    `It must have at most ${MAX_ACTOR_LENGTH} characters, of ASCII and without control characters.`,
  );
}

/** Options of every command that changes something. */
export interface WriteFlags {
  readonly dryRun?: true;
  readonly detailedExitcode?: true;
  readonly reason?: string;
}

export function writeOptions(): readonly Option[] {
  return [
    new Option("--dry-run", "check everything and show what would change, change nothing"),
    new Option("--detailed-exitcode", "with --dry-run: exit with 10 when something would change"),
    new Option("--reason <text>", "why, for the journal"),
  ];
}

/** What the options of a write ask of the API. */
export function writeOptionsOf({ dryRun, reason = "" }: WriteFlags): { validateOnly: boolean; reason: string } {
  return { validateOnly: dryRun === true, reason };
}

/** Where the write is in the log: printed after what was done and two blanks. */
export function writtenText({ dryRun }: WriteFlags, revision: string): string {
  return dryRun === true ? "dry run: nothing was changed" : `revision ${revision}`;
}

export function ignoreMissingOption(): Option {
  return new Option("--ignore-missing", "fine when it is not there");
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
    ...waitForOneOptions(what),
    new Option("--on-disconnected <what>", "with --wait: what to do about proxies that are away")
      .choices(["wait", "skip", "fail"])
      .default("wait"),
    new Option("--nodes <id...>", "with --wait: only these proxies (default: all that a fleet selects)"),
    new Option("--at-least <number>", "with --wait: enough when so many have acknowledged").argParser(wholeNumber),
    new Option("--allow-empty", "with --wait: fine when no proxy is connected"),
  ];
}

/** For a command that names the proxy that it waits for. */
export function waitForOneOptions(what: string): readonly Option[] {
  return [
    new Option("--wait", what),
    new Option("--timeout <duration>", "how long to wait, at most 1h")
      .argParser(duration)
      .default(DEFAULT_WAIT_MS, "30s"),
  ];
}

/** For changes that would leave a service without an eligible backend. */
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
  const name = plainBackendName(text);
  if (!/^[^/]+\/[^/]+$|^projects\/./.test(name)) {
    throw new InvalidArgumentError("A backend is named SERVICE/BACKEND, for example shop/shop-1.");
  }
  return name;
}

function keyValue(text: string, previous: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("It is no KEY=VALUE.");
  return { ...previous, [text.slice(0, at)]: text.slice(at + 1) };
}
