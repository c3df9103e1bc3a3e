/** The real product as a child process, and its command line. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Child, startChild } from "./child.ts";
import { eventually } from "./eventually.ts";
import { tempFolder } from "./temp-folder.ts";

const root = join(import.meta.dirname, "../..");
const ownMain = join(root, "bin/fairlead.js");

export interface PlaneAddresses {
  readonly xds: string;
  readonly admin: string;
  readonly http: string;
}

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Plane extends AsyncDisposable {
  readonly addresses: PlaneAddresses;
  readonly dataFolder: string;
  pid(): number;
  /** Milliseconds from the start of the process to its line that it listens. */
  readonly startedInMs: number;
  /** Runs `fairlead ARGS` against this plane. */
  cli(...args: readonly string[]): Promise<CommandResult>;
  /** Like `cli`, but fails the test when the command does not exit with 0. */
  mustCli(...args: readonly string[]): Promise<string>;
  /** Runs `fairlead apply -f -` with a manifest. */
  apply(manifest: string, ...args: readonly string[]): Promise<CommandResult>;
  mustApply(manifest: string, ...args: readonly string[]): Promise<string>;
  kill9(): Promise<void>;
  /** Starts it again on the same data and the same addresses; it must not be running. */
  restart(): Promise<void>;
  /** SIGTERM; returns the exit code. */
  stop(): Promise<number | NodeJS.Signals>;
  /** Resolves when the process that runs now ends by itself. */
  exited(): Promise<number | NodeJS.Signals>;
  log(): string;
}

export interface PlaneOptions {
  /** More arguments of `fairlead up`. */
  readonly args?: readonly string[];
  /** Arguments of Node itself. */
  readonly nodeArgs?: readonly string[];
  /** URLs of nats-servers that hold the state; without them it is in a file of the plane's own. */
  readonly nats?: readonly string[];
  /** Planes on the same bucket share their state. One copy for each server. */
  readonly bucket?: string;
  /** This plane's name; those that share a bucket need different ones. */
  readonly replica?: string;
  /** The words before its commands, where they run elsewhere than the test. */
  readonly enter?: readonly string[];
  /** The program, where it is not that of this checkout. */
  readonly main?: string;
  /** A configuration file that says where the state is, instead of `nats` and `bucket`. */
  readonly config?: string;
}

export async function startPlane(options: PlaneOptions = {}): Promise<Plane> {
  const { main = ownMain } = options;
  const folder = tempFolder();
  const dataFolder = join(folder.path, "data");
  const logFile = join(folder.path, "plane.log");
  let running = await launch({ xds: "127.0.0.1:0", admin: "127.0.0.1:0", http: "127.0.0.1:0" });
  const { addresses, startedInMs } = running;

  async function launch(wanted: PlaneAddresses): Promise<Running> {
    const listen = ["--xds", wanted.xds, "--admin", wanted.admin, "--http", wanted.http];
    const args = [
      ...(options.nodeArgs ?? []),
      ...[main, "up", ...storeArgs(options, dataFolder), ...listen, ...(options.args ?? [])],
    ];
    return launchPlane([...(options.enter ?? []), process.execPath, ...args], logFile);
  }
  const cli = (args: readonly string[], input?: string) =>
    runFairlead(args, {
      env: { FAIRLEAD_SERVER: addresses.admin },
      main,
      ...(options.enter && { enter: options.enter }),
      ...(input !== undefined && { input }),
    });
  const must = async (args: readonly string[], input?: string) => {
    const result = await cli(args, input);
    if (result.code !== 0) throw new Error(`fairlead ${args.join(" ")} exits with ${result.code}: ${result.stderr}`);
    return result.stdout;
  };
  const stop = () => running.child.stop();
  return {
    addresses,
    dataFolder,
    startedInMs,
    pid: () => running.child.pid,
    cli: (...args) => cli(args),
    mustCli: (...args) => must(args),
    apply: (manifest, ...args) => cli(["apply", "-f", "-", ...args], manifest),
    mustApply: (manifest, ...args) => must(["apply", "-f", "-", ...args], manifest),
    kill9: async () => {
      running.child.signal("SIGKILL");
      await running.child.exited;
    },
    restart: async () => {
      running = await launch(addresses);
    },
    stop,
    exited: () => running.child.exited,
    log: () => running.child.log(),
    [Symbol.asyncDispose]: async () => {
      await stop();
      folder[Symbol.dispose]();
    },
  };
}

function storeArgs({ nats, bucket, replica, config }: PlaneOptions, dataFolder: string): string[] {
  const embedded = config === undefined ? ["--data", dataFolder] : ["--config", config];
  return [
    ...(nats === undefined ? embedded : ["--nats", nats.join(","), "--nats-replicas", `${nats.length}`]),
    ...(bucket === undefined ? [] : ["--nats-bucket", bucket]),
    ...(replica === undefined ? [] : ["--replica", replica]),
  ];
}

/** Runs `fairlead ARGS` to its end. */
export function runFairlead(
  args: readonly string[],
  options: {
    readonly env?: NodeJS.ProcessEnv;
    readonly input?: string;
    readonly timeoutMs?: number;
    readonly enter?: readonly string[];
    readonly main?: string;
  } = {},
): Promise<CommandResult> {
  const { enter = [], main = ownMain, ...others } = options;
  return runProgram([...enter, process.execPath, main, ...args], others);
}

/** Runs any program with its arguments to its end. */
export function runProgram(
  [program = "", ...rest]: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly input?: string; readonly timeoutMs?: number } = {},
): Promise<CommandResult> {
  const { env = {}, input, timeoutMs = 60_000 } = options;
  return new Promise((resolve) => {
    const child = execFile(
      program,
      rest,
      { env: { ...process.env, ...env }, timeout: timeoutMs, maxBuffer: 64 << 20 },
      (error, stdout, stderr) => resolve({ code: exitCode(error), stdout, stderr }),
    );
    child.stdin?.end(input ?? "");
  });
}

interface Running {
  readonly child: Child;
  readonly addresses: PlaneAddresses;
  readonly startedInMs: number;
}

async function launchPlane([program = "", ...args]: readonly string[], logFile: string): Promise<Running> {
  const startedAt = performance.now();
  const from = existsSync(logFile) ? readFileSync(logFile, "utf8").length : 0;
  const child = startChild({ name: "fairlead up", program, args, logFile });
  const line = await eventually(
    () => (child.running() ? listeningLine(child.log().slice(from)) : "ended"),
    (found) => found !== undefined,
    { what: "the plane listens", timeoutMs: 30_000, explain: () => child.logTail() },
  );
  if (line === undefined || line === "ended") throw new Error(`the plane ended at its start\n${child.logTail()}`);
  return { child, addresses: line, startedInMs: performance.now() - startedAt };
}

function listeningLine(log: string): PlaneAddresses | undefined {
  const line = log.split("\n").find((text) => text.includes('"msg":"listening"') && text.endsWith("}"));
  if (line === undefined) return undefined;
  const { xds, admin, http } = JSON.parse(line) as PlaneAddresses;
  return { xds, admin, http };
}

function exitCode(error: (Error & { code?: unknown }) | null): number {
  if (error === null) return 0;
  return typeof error.code === "number" ? error.code : -1;
}
