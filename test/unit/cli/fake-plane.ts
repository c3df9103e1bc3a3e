import { create, type DescMethod } from "@bufbuild/protobuf";
import type { AdminClient } from "../../../src/cli/admin-client.ts";
import { AdminError } from "../../../src/cli/admin-error.ts";
import type { CliIo } from "../../../src/cli/io.ts";
import { runCli } from "../../../src/cli/main.ts";
import type { Clock } from "../../../src/runtime/clock.ts";

/**
 * Answers one method: with a message, several for a stream, or by throwing. Requests come as messages; an upload is answered
 * by what its first one is answered with.
 */
export type Answers = Readonly<Record<string, (request: never) => unknown>>;

export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What was asked of the plane, in order. */
  readonly calls: readonly { readonly method: string; readonly request: unknown }[];
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly isTty?: boolean;
  readonly columns?: number;
  readonly colors?: CliIo["colors"];
  readonly nowMs?: number;
  readonly timeZone?: string;
}

/** Runs one command line against a plane that answers as it is told. */
export async function runAgainst(answers: Answers, argv: readonly string[], options: RunOptions = {}): Promise<Run> {
  const calls: { method: string; request: unknown }[] = [];
  let [stdout, stderr] = ["", ""];
  const client = fakeClient(answers, calls);
  const code = await runCli(
    argv,
    {
      stdout: { write: (text) => (stdout += text) },
      stderr: { write: (text) => (stderr += text) },
      env: options.env ?? {},
      clock: steppingClock(options.nowMs ?? 0),
      isTty: options.isTty ?? false,
      get columns() {
        return options.columns;
      },
      ...(options.colors && { colors: options.colors }),
      ...(options.timeZone !== undefined && { timeZone: options.timeZone }),
      stdin: bytesOf(options.stdin ?? ""),
    },
    (server) => ({ ...client, server }),
  );
  return { code, stdout, stderr, calls };
}

/** An error as the plane gives it. */
export function planeError(
  code: number,
  reason: string,
  message: string,
  fields: Readonly<Record<string, string>> = {},
): AdminError {
  const violations = Object.entries(fields).map(([field, text]) => ({ field, message: text }));
  return new AdminError({ code, reason, message, violations });
}

function fakeClient(answers: Answers, calls: { method: string; request: unknown }[]): Omit<AdminClient, "server"> {
  const note = (method: DescMethod, init: unknown) => {
    const request = create(method.input, init as never);
    calls.push({ method: method.name, request });
    return request;
  };
  const answer = (method: DescMethod, request: unknown): unknown => {
    const given = answers[method.name];
    if (given === undefined) throw new Error(`the test has no answer for ${method.name}`);
    return given(request as never);
  };
  const ask = (method: DescMethod, init: unknown) => answer(method, note(method, init));
  return {
    call: async (method, request) => create<typeof method.output>(method.output, ask(method, request) as never),
    stream: async function* (method, request) {
      for (const each of ask(method, request) as Iterable<never>) {
        yield create<typeof method.output>(method.output, each);
      }
    },
    upload: async (method, requests) => {
      const all: unknown[] = [];
      for await (const request of requests) all.push(note(method, request));
      return create<typeof method.output>(method.output, answer(method, all[0]) as never);
    },
    close: () => {},
  };
}

/** Sleeps take no real time: they move the clock. */
function steppingClock(startMs: number): Clock {
  let now = startMs;
  return {
    now: () => now,
    monotonic: () => now,
    sleep: async (ms) => {
      now += ms;
    },
    after: () => () => {},
  };
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
