import { type Command, InvalidArgumentError, Option } from "commander";
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
      "address of the plane's admin API, or of several replicas: the first that answers is used; " +
        "also read from FAIRLEAD_SERVER",
    ).default(fromEnvironment ?? DEFAULT_SERVER),
    new Option("--request-timeout <duration>", "how long to wait for an answer from the plane, 100ms to 1h")
      .argParser(requestTimeout)
      .default(DEFAULT_REQUEST_TIMEOUT_MS, "10s"),
    new Option("--actor <name>", "who makes the changes, for the journal (default: cli:USER)").argParser(actor),
    new Option("--color <when>", "auto: on a terminal, unless NO_COLOR is set; JSON and YAML have no colors")
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
  throw new InvalidArgumentError(`It must be at most ${MAX_ACTOR_LENGTH} printable ASCII characters.`);
}

export type OutputForm = "table" | "json" | "yaml";

export function outputOption(forms: readonly OutputForm[] = ["table", "json"]): Option {
  return new Option("-o, --output <form>", "output format").choices(forms).default(forms[0]);
}

/** Options of every command that changes something. */
export interface WriteFlags extends WaitFlags {
  readonly dryRun?: true;
  readonly detailedExitcode?: true;
  readonly reason?: string;
}

/** @param awaited What `--wait` waits for. */
export function addWriteOptions(command: Command, awaited?: string): Command {
  command
    .addOption(outputOption())
    .option("--dry-run", "check everything and show what would change, but change nothing")
    .option("--detailed-exitcode", "with --dry-run: exit with 10 if anything would change")
    .option(...REASON);
  return addWaitOptions(command, awaited);
}

/** What the options of a write ask of the API. */
export function writeOptionsOf({ dryRun, reason = "" }: WriteFlags): { validateOnly: boolean; reason: string } {
  return { validateOnly: dryRun === true, reason };
}

/** Where the write is in the log: printed after what was done and two blanks. */
export function writtenText({ dryRun }: WriteFlags, revision: string): string {
  return dryRun === true ? "dry run: nothing was changed" : `revision ${revision}`;
}

export interface WaitFlags {
  readonly wait?: true;
  readonly timeout: number;
  readonly onDisconnected: "wait" | "skip" | "fail";
  readonly allowEmpty?: true;
  readonly nodes?: readonly string[];
  readonly atLeast?: number;
}

/** @param awaited What `--wait` waits for. */
export function addWaitOptions(command: Command, awaited = "until the proxies have acknowledged the change"): Command {
  addWaitForOneOptions(command, awaited);
  const options = [
    new Option("--on-disconnected <what>", "what to do about disconnected proxies")
      .choices(["wait", "skip", "fail"])
      .default("wait"),
    new Option("--nodes <id...>", "wait for these proxies only (default: all that belong to a fleet)"),
    new Option("--at-least <number>", "succeed when this many have acknowledged").argParser(wholeNumber),
    new Option("--allow-empty", "succeed even if no proxy is connected"),
  ];
  for (const option of options) command.addOption(option.helpGroup(WAITING));
  return command;
}

/** For a command that names the proxy that it waits for. */
export function addWaitForOneOptions(command: Command, awaited: string): Command {
  const timeout = new Option("--timeout <duration>", "how long to wait, at most 1h")
    .argParser(duration)
    .default(DEFAULT_WAIT_MS, "30s");
  return command
    .addOption(new Option("--wait", `wait ${awaited}`).helpGroup(WAITING))
    .addOption(timeout.helpGroup(WAITING));
}

const WAITING = "Waiting:";

/** Flags and description of the options that need no more; `command.option(...REASON)`. */
type PlainOption = readonly [flags: string, description: string];

export const REASON: PlainOption = ["--reason <text>", "why, for the journal"];

/** For changes that would leave a service without an eligible backend. */
export const ALLOW_REMOVAL: PlainOption = [
  "--allow-removal",
  "proceed even if no eligible backend is left, so that clients of the service get 503",
];

/** For changes of many objects. */
export const ALLOW_LARGE_REMOVAL: PlainOption = [
  "--allow-removal",
  "proceed even if many objects of a kind, or many backends of a service, would be removed",
];

export const IGNORE_MISSING: PlainOption = ["--ignore-missing", "succeed if it does not exist"];
export const OVERWRITE: PlainOption = ["--force", "replace the file if it exists; only a plain file is replaced"];
export const REPLACE: PlainOption = ["--replace", "replace a state that has objects"];
export const RESOURCE_TYPE: PlainOption = ["--type <type>", "only resources of this type: CDS, EDS, LDS, RDS, …"];
export const REFRESH: PlainOption = ["--watch", "refresh every two seconds until interrupted"];

export function labelOption(flags: string, description: string): Option {
  return new Option(flags, `${description}; repeatable`).argParser(keyValue);
}

/** `30s` as milliseconds. */
export function duration(text: string): number {
  const nanoseconds = parseDuration(text);
  if (nanoseconds === undefined) throw new InvalidArgumentError("Give a duration such as 500ms, 30s, 5m or 1h30m.");
  return Math.round(Number(nanoseconds) / 1e6);
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("Give a whole number.");
  return Number(text);
}

/** `SERVICE/BACKEND`. */
export function backendName(text: string): string {
  const name = plainBackendName(text);
  if (!/^[^/]+\/[^/]+$|^projects\/./.test(name)) {
    throw new InvalidArgumentError("Give SERVICE/BACKEND, for example shop/shop-1.");
  }
  return name;
}

function keyValue(text: string, previous: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("Give KEY=VALUE.");
  return { ...previous, [text.slice(0, at)]: text.slice(at + 1) };
}
