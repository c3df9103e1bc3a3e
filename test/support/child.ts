/** One child process of a test or a bench: its output in a file, and an end that never outlives the parent. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";

export interface Child {
  readonly pid: number;
  /** Everything it printed so far, standard output and standard error together. */
  log(): string;
  /** The last lines of the log, for messages. */
  logTail(lines?: number): string;
  /** The exit code or the signal, once it has ended. */
  readonly exited: Promise<number | NodeJS.Signals>;
  running(): boolean;
  signal(signal: NodeJS.Signals): void;
  /** SIGTERM, and SIGKILL when it has not ended after `graceMs`. Returns how it ended. */
  stop(graceMs?: number): Promise<number | NodeJS.Signals>;
}

export interface ChildCommand {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly logFile: string;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Has `run` called with the log of each child that is started from now on. */
export function onChildStart(run: (logTail: () => string) => void): void {
  watch = run;
}

let watch: (logTail: () => string) => void = () => undefined;

export function startChild({ name, program, args, logFile, cwd, env }: ChildCommand): Child {
  const sink = openSync(logFile, "a");
  const child = spawn(program, args, { stdio: ["ignore", sink, sink], cwd, env: env ?? process.env });
  closeSync(sink);
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  let finalLog: string | undefined;
  const log = () => finalLog ?? readFileSync(logFile, "utf8");
  const exited = ended(child).finally(() => {
    // The file's folder may be gone by the time that a failed test asks.
    finalLog = log();
    process.removeListener("exit", kill);
  });
  const logTail = (lines = 40) => `--- last lines of ${name} ---\n${log().split("\n").slice(-lines).join("\n")}`;
  const running = () => child.exitCode === null && child.signalCode === null && child.pid !== undefined;
  watch(logTail);
  return {
    pid: child.pid ?? -1,
    log,
    logTail,
    exited,
    running,
    signal: (signal) => child.kill(signal),
    stop: async (graceMs = 10_000) => {
      child.kill("SIGTERM");
      const timer = setTimeout(kill, graceMs);
      return exited.finally(() => clearTimeout(timer));
    },
  };
}

function ended(child: ChildProcess): Promise<number | NodeJS.Signals> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(signal ?? code ?? -1));
  });
}
