/** A program on a terminal of its own (a pseudo-terminal, by util-linux's `script`), as a person would run it. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

export interface Terminal {
  /** All that was written to it, control sequences included. */
  output(this: void): string;
  /** The lines of it as they were seen, and what was drawn over among them. */
  seen(this: void): readonly string[];
  /** Types; `\x03` is Ctrl-C, which goes to all that runs in the foreground. */
  type(keys: string): void;
  /** The exit code of the program. */
  readonly exited: Promise<number | null>;
  running(): boolean;
  /** Closes it, as somebody closes a window; what runs on it hears a SIGHUP. */
  [Symbol.dispose](): void;
}

export interface TerminalOptions {
  /** For a shell; what it starts last is `exec`ed. */
  readonly command: string;
  readonly cwd: string;
  readonly columns: number;
  /** Is written; lies in a folder that outlives the terminal. */
  readonly file: string;
  readonly env?: NodeJS.ProcessEnv;
}

export function openTerminal({ command, cwd, columns, file, env = process.env }: TerminalOptions): Terminal {
  const shell = `stty cols ${columns} rows 24; exec ${command}`;
  const args = ["--quiet", "--flush", "--return", "--command", shell, file];
  const child = spawn("script", args, { cwd, env, stdio: ["pipe", "ignore", "ignore"] });
  const kill = (): void => void child.kill("SIGTERM");
  process.once("exit", kill);
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => {
      process.removeListener("exit", kill);
      resolve(code);
    });
  });
  const output = () => readFileSync(file, "utf8");
  return {
    output,
    // The first line is by the program that made the terminal.
    seen: () => {
      const [, ...lines] = output().split(/\r?\n/);
      return lines.flatMap((line) => line.split("\r\u001B[K"));
    },
    type: (keys) => child.stdin.write(keys),
    exited,
    running: () => child.exitCode === null && child.signalCode === null,
    [Symbol.dispose]: kill,
  };
}
