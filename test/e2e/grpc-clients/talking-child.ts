/** A program that answers each line it reads with a line. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export interface TalkingChild {
  /** Its next line. @throws Error with what it complained of, when it ends first. */
  next(): Promise<string>;
  /** Sends one line, and returns its answer. */
  ask(line: string): Promise<string>;
  /** Ends its input. */
  hangUp(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface TalkingCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

export function startTalking({ program, args, env = {} }: TalkingCommand): TalkingChild {
  const child = spawn(program, args, { stdio: "pipe", env: { ...process.env, ...env } });
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint += text;
  });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const ended = new Promise<void>((resolve) => {
    child.once("error", (error) => {
      complaint += error.message;
      resolve();
    });
    child.once("exit", () => resolve());
  });
  // A child that is gone reads no more; `next` tells why.
  child.stdin.on("error", () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`${program} ended: ${complaint.slice(-2000)}`);
    return value;
  };
  return {
    next,
    ask: (line) => {
      child.stdin.write(`${line}\n`);
      return next();
    },
    hangUp: () => child.stdin.end(),
    [Symbol.asyncDispose]: async () => {
      kill();
      await ended;
      process.removeListener("exit", kill);
    },
  };
}
