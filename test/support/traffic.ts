/** A client that sends requests without a pause and remembers every answer. */
import { Agent, request } from "node:http";
import { BACKEND_HEADER } from "./backend.ts";

export interface Target {
  /** Where to connect: `http://127.0.0.1:PORT/path`. */
  readonly url: string;
  /** The Host header, when it differs from the URL's. */
  readonly host?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

export interface Answer {
  /** 0 when the connection failed; `error` says how. */
  readonly status: number;
  /** The name that the backend gave itself, if one answered. */
  readonly backend: string | undefined;
  readonly body: string;
  readonly error: string | undefined;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
}

/** Sends one request; a failed connection is an answer too. */
export function send(target: Target, agent?: Agent): Promise<Answer> {
  const { url, host, method = "GET", headers = {}, timeoutMs = 10_000 } = target;
  const startedAt = Date.now();
  return new Promise((resolve) => {
    const finish = (outcome: Pick<Answer, "status" | "backend" | "body" | "error">) =>
      resolve({ ...outcome, startedAt, endedAt: Date.now() });
    const failed = (error: Error) =>
      finish({ status: 0, backend: undefined, body: "", error: `${error.name}: ${error.message}` });
    const outgoing = request(
      url,
      {
        method,
        headers: host === undefined ? headers : { ...headers, host },
        timeout: timeoutMs,
        ...(agent && { agent }),
      },
      (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          body += chunk;
        });
        response.once("error", failed);
        response.once("end", () => {
          const backend = response.headers[BACKEND_HEADER];
          const name = typeof backend === "string" ? backend : undefined;
          finish({ status: response.statusCode ?? 0, backend: name, body, error: undefined });
        });
      },
    );
    outgoing.once("timeout", () => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    outgoing.once("error", failed);
    outgoing.end();
  });
}

/** Sends `count` requests one after the other over one connection. */
export async function sendMany(target: Target, count: number): Promise<Answer[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const answers: Answer[] = [];
  for (let sent = 0; sent < count; sent += 1) answers.push(await send(target, agent));
  agent.destroy();
  return answers;
}

/** How many answers came from each backend; failures count under their status. */
export function tally(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { backend, status } of answers) {
    const key = backend ?? String(status);
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

export class Traffic implements AsyncDisposable {
  readonly answers: Answer[] = [];
  readonly #agent: Agent;
  readonly #workers: Promise<void>[];
  #stopped = false;

  /** @param connections How many requests are under way at any time, each on a connection of its own. */
  constructor(target: Target, connections = 4) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
    this.#workers = Array.from({ length: connections }, () => this.#work(target));
  }

  /** Answers other than 2xx, connection errors included. */
  failures(): Answer[] {
    return this.answers.filter(({ status }) => status < 200 || status > 299);
  }

  /** Answers to requests that were sent after `instant` (milliseconds since the epoch). */
  startedAfter(instant: number): Answer[] {
    return this.answers.filter(({ startedAt }) => startedAt > instant);
  }

  /** Resolves when `count` more requests than now have been answered, all sent after the call. */
  async more(count: number): Promise<Answer[]> {
    const since = Date.now();
    for (;;) {
      const fresh = this.startedAfter(since);
      if (fresh.length >= count || this.#stopped) return fresh;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Lets the requests under way finish and returns all answers. */
  async stop(): Promise<Answer[]> {
    this.#stopped = true;
    await Promise.all(this.#workers);
    this.#agent.destroy();
    return this.answers;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #work(target: Target): Promise<void> {
    while (!this.#stopped) this.answers.push(await send(target, this.#agent));
  }
}
