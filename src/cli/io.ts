import type { Clock } from "../runtime/clock.ts";
import type { AdminClient } from "./admin-client.ts";

/** Where text goes to. */
export interface TextSink {
  write(text: string): unknown;
}

/** The world as a command sees it; handed in, so that tests can play it. */
export interface CliIo {
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Whether standard output is a terminal: progress is drawn in place there. */
  readonly isTty: boolean;
  /** What `-f -` reads. Default: the standard input of the process. */
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** Ends what would go on for ever, `watch` for example. */
  readonly signal?: AbortSignal;
}

/** What every command is given. */
export interface CliContext {
  readonly io: CliIo;
  /** The client of the plane that `--server` names; opened at the first call. */
  admin(): AdminClient;
}

export function printLine(io: CliIo, text: string): void {
  io.stdout.write(`${text}\n`);
}
