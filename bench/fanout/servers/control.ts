/** What every server of the benchmark understands on its standard input, one line of JSON per command. */
import { createInterface } from "node:readline";

export interface ServerConfig {
  readonly mode: string;
  /** One LEDS collection of `endpoints` members instead of assignments. */
  readonly members: boolean;
  readonly resources: number;
  readonly endpoints: number;
  readonly nodePrefix: string;
  readonly nodes: number;
  /** Changes come over HTTP (`POST /set?change=N`), and clients ask for clusters, listeners and routes too. */
  readonly api: boolean;
  /** Files in PEM; plain TCP when absent. */
  readonly certificate?: string;
  readonly key?: string;
}

export interface ServerCommand {
  readonly do: "tick" | "churn" | "info";
  /** The number of the (first) change, which ends up in the address of an endpoint. */
  readonly change?: number;
  readonly count?: number;
  readonly perSecond?: number;
}

export interface ServerAnswer {
  readonly address?: string;
  /** Where changes are taken, when the configuration asks for that. */
  readonly api?: string;
  /** When the change began, on the monotonic clock in nanoseconds. */
  readonly at?: number;
  readonly ticksAt?: readonly number[];
  readonly heapBytes?: number;
  readonly error?: string;
}

export interface BenchServer {
  readonly address: string;
  apply(change: number): void;
}

/** Reads the configuration, starts, and obeys until standard input ends. */
export async function obey(start: (config: ServerConfig) => Promise<BenchServer>): Promise<void> {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const { value: first } = await lines.next();
  const server = await start(JSON.parse(first as string) as ServerConfig);
  answer({ address: server.address });
  for await (const line of { [Symbol.asyncIterator]: () => lines }) {
    answer(await run(server, JSON.parse(line) as ServerCommand));
  }
  process.exit(0);
}

async function run(server: BenchServer, command: ServerCommand): Promise<ServerAnswer> {
  const { change = 0 } = command;
  if (command.do === "tick") {
    const at = monotonicNs();
    server.apply(change);
    return { at };
  }
  if (command.do === "churn") return churn(server, change, command.count ?? 0, command.perSecond ?? 1);
  // Gives memory back to the system, as the peers do for this figure.
  globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
  return { heapBytes: process.memoryUsage().heapUsed };
}

/**
 * Changes at a steady pace. What is overdue happens at once, and still counts from when it was due; a server that is as far
 * behind as all was to last makes no more.
 */
async function churn(server: BenchServer, first: number, count: number, perSecond: number): Promise<ServerAnswer> {
  const startedAt = monotonicNs();
  const ticksAt: number[] = [];
  for (let index = 0; index < count; index++) {
    const dueAt = startedAt + Math.round((index * 1e9) / perSecond);
    const earlyMs = (dueAt - monotonicNs()) / 1e6;
    if (earlyMs < (-1000 * count) / perSecond) break;
    if (earlyMs > 0) await new Promise((resolve) => setTimeout(resolve, Math.ceil(earlyMs)));
    server.apply(first + index);
    ticksAt.push(dueAt);
  }
  return { ticksAt };
}

function monotonicNs(): number {
  return Number(process.hrtime.bigint());
}

function answer(reply: ServerAnswer): void {
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
