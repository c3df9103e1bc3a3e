/** A program under the benchmark's control: commands and answers as lines of JSON. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

export interface Program {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The processor it is pinned to; anywhere when absent. */
  readonly core?: number | undefined;
}

/** One command at a time; answers come in the order of the commands. */
export class ControlledProcess<Command, Answer extends { readonly error?: string }> {
  readonly #child: ChildProcess;
  readonly #program: Program;
  readonly #answers: AsyncIterator<string>;
  readonly #exited: Promise<unknown>;

  constructor(program: Program) {
    const { command, args, core } = program;
    const pinned = core === undefined ? [command, ...args] : ["taskset", "-c", String(core), command, ...args];
    const [first = "", ...rest] = pinned;
    this.#program = program;
    this.#child = spawn(first, rest, { stdio: ["pipe", "pipe", "inherit"] });
    const { stdout } = this.#child;
    if (!stdout) throw new Error("a child process without standard output");
    this.#answers = createInterface({ input: stdout })[Symbol.asyncIterator]();
    this.#exited = new Promise((resolve) => {
      this.#child.once("exit", resolve);
      this.#child.once("error", resolve);
    });
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** @throws Error when the program ended, or answers that it failed. */
  async ask(command: Command): Promise<Answer> {
    this.#child.stdin?.write(`${JSON.stringify(command)}\n`);
    const { value, done } = await this.#answers.next();
    if (done)
      throw new Error(`${this.#program.name} ended instead of answering ${JSON.stringify(command).slice(0, 200)}`);
    const answer = JSON.parse(value) as Answer;
    if (answer.error !== undefined) throw new Error(`${this.#program.name}: ${answer.error}`);
    return answer;
  }

  async stop(): Promise<void> {
    this.#child.stdin?.end();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 5_000);
    await this.#exited;
    clearTimeout(timer);
  }
}
