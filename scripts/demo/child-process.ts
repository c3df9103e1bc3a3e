import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";

/** One program that the demo started; its output goes to a file. */
export interface ChildProcess {
  /** Why it is not running any more; nothing while it runs. */
  ended(): string | undefined;
  /** The last lines of its output. */
  logTail(): string;
  /** SIGTERM, and SIGKILL when that does not help within `STOP_GRACE_MS`. */
  stop(): Promise<void>;
}

const STOP_GRACE_MS = 10_000;
const TAIL_LINES = 15;

export function startChild(program: string, args: readonly string[], logFile: string): ChildProcess {
  const log = openSync(logFile, "a");
  // A group of its own: Ctrl-C on the terminal is for the demo, which ends what it started in its order.
  const child = spawn(program, args, { stdio: ["ignore", log, log], detached: true });
  closeSync(log);
  let end: string | undefined;
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const exited = new Promise<void>((resolve) => {
    child.once("error", (error) => {
      end = error.message;
      resolve();
    });
    child.once("exit", (code, signal) => {
      end = `it ended with ${signal ?? code}`;
      process.removeListener("exit", kill);
      resolve();
    });
  });
  return {
    ended: () => end,
    logTail: () => readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-TAIL_LINES).join("\n"),
    stop: async () => {
      if (end !== undefined) return;
      child.kill("SIGTERM");
      const timer = setTimeout(kill, STOP_GRACE_MS);
      await exited;
      clearTimeout(timer);
    },
  };
}
