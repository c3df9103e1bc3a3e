/** One server, one load client, one measurement. */
import { ControlledProcess } from "./process.ts";
import { type Contestant, loadClientProgram, serverProgram } from "./programs.ts";
import type { ServerAnswer, ServerCommand, ServerConfig } from "./servers/control.ts";
import { median } from "./statistics.ts";
import type { Row } from "./workloads.ts";

/** Times in milliseconds, sizes in bytes; by the names that the report prints. */
export type Figures = Readonly<Record<string, number>>;

export interface Effort {
  readonly nodes: number;
  readonly warmUps: number;
  readonly ticks: number;
  readonly churnSeconds: number;
  /** After the last receipt, so that acknowledgements are in the server's account. */
  readonly settleMs: number;
  readonly timeoutMs: number;
  readonly tls: { readonly certificate: string; readonly key: string } | undefined;
}

interface ClientAnswer {
  readonly error?: string;
  readonly ms?: number;
  readonly times?: {
    readonly count: number;
    readonly first: number;
    readonly p50: number;
    readonly p99: number;
    readonly last: number;
  };
  readonly missing: number;
  readonly messages: number;
  readonly bytes: number;
}

type Server = ControlledProcess<ServerConfig | ServerCommand, ServerAnswer>;
type Client = ControlledProcess<object, ClientAnswer>;

/** Starts both, measures what the row asks for, and stops both. */
export async function runTrial(row: Row, contestant: Contestant, effort: Effort): Promise<Figures> {
  const server: Server = new ControlledProcess(serverProgram(contestant));
  const client: Client = new ControlledProcess(loadClientProgram());
  try {
    const tls = effort.tls !== undefined && contestant !== "floor" ? effort.tls : {};
    const config = { mode: contestant, ...row.content, nodePrefix: NODE_PREFIX, nodes: effort.nodes, ...tls };
    const { address = "" } = await server.ask(config);
    await client.ask(clientConfig(row, contestant, address, effort));
    const trial = new Trial(server, client, effort);
    if (row.act.kind === "storm") return await trial.storm();
    const opened = await trial.open();
    if (row.act.kind === "ticks") return { ...opened, ...(await trial.ticks()) };
    return { ...opened, ...(await trial.churn(row.act.perSecond, row.act.stalledShare)) };
  } finally {
    await Promise.all([client.stop(), server.stop()]);
  }
}

const NODE_PREFIX = "node-";
const ENVOY_NODE_BYTES = 61_000;
/** Connections that are being made at the same time. */
const PARALLEL = 256;

class Trial {
  readonly #server: Server;
  readonly #client: Client;
  readonly #effort: Effort;
  #change = 0;

  constructor(server: Server, client: Client, effort: Effort) {
    this.#server = server;
    this.#client = client;
    this.#effort = effort;
  }

  /** Connects all clients and gives each its first state. */
  async open(resume = false): Promise<Figures> {
    const { nodes, timeoutMs } = this.#effort;
    await this.#server.ask({ do: "info" });
    const before = { resident: this.#server.residentBytes(), cpuMs: this.#server.cpuMs() };
    const { ms = Number.NaN } = await this.#client.ask({
      do: "open",
      count: nodes,
      parallel: PARALLEL,
      resume,
      timeoutMs,
    });
    await this.#settle();
    const connectCpuMs = this.#server.cpuMs() - before.cpuMs;
    const { heapBytes = Number.NaN } = await this.#server.ask({ do: "info" });
    const perClient = (this.#server.residentBytes() - before.resident) / nodes;
    return { connectMs: ms, connectCpuMs, idleBytesPerClient: perClient, heapBytes, residentBefore: before.resident };
  }

  /** Change after change, each awaited by all clients. Medians over the ticks. */
  async ticks(): Promise<Figures> {
    const { nodes, warmUps, ticks } = this.#effort;
    const all: Record<string, number>[] = [];
    for (let tick = -warmUps; tick < ticks; tick++) {
      const cpuBefore = { server: this.#server.cpuMs(), client: this.#client.cpuMs() };
      const before = await this.#client.ask({ do: "counters" });
      const { times, missing, ...after } = await this.#tick();
      await this.#settle();
      if (tick < 0 || !times) continue;
      all.push({
        cpuPerThousand: ((this.#server.cpuMs() - cpuBefore.server) / nodes) * 1000,
        clientCpuPerThousand: ((this.#client.cpuMs() - cpuBefore.client) / nodes) * 1000,
        first: times.first,
        p50: times.p50,
        p99: times.p99,
        last: times.last,
        messagesPerChange: (after.messages - before.messages) / nodes,
        bytesPerMessage: (after.bytes - before.bytes) / Math.max(1, after.messages - before.messages),
        missing,
      });
    }
    const names = Object.keys(all[0] ?? {});
    const medians = names.map((name) => [name, median(all.map((figures) => figures[name] ?? Number.NaN))]);
    return { ...Object.fromEntries(medians), ...(await this.#memory()) };
  }

  /** A steady stream of changes. */
  async churn(perSecond: number, stalledShare: number): Promise<Figures> {
    const { churnSeconds, nodes } = this.#effort;
    for (let warmUp = 0; warmUp < this.#effort.warmUps; warmUp++) await this.#tick();
    if (stalledShare > 0) await this.#client.ask({ do: "stall", share: stalledShare });
    await this.#client.ask({ do: "record" });
    const count = Math.max(1, Math.round(perSecond * churnSeconds));
    const first = this.#change + 1;
    this.#change += count;
    const startedAt = performance.now();
    const cpuBefore = this.#server.cpuMs();
    const { ticksAt = [] } = await this.#server.ask({ do: "churn", change: first, count, perSecond });
    const tookMs = performance.now() - startedAt;
    const busy = (this.#server.cpuMs() - cpuBefore) / tookMs;
    const lastAt = ticksAt.at(-1) ?? 0;
    const end = await this.#client.ask({
      do: "await",
      change: this.#change,
      tickAt: lastAt,
      timeoutMs: this.#effort.timeoutMs,
    });
    const { times, missing, messages } = await this.#client.ask({ do: "staleness", change: first, ticksAt });
    return {
      busyShare: busy,
      p50: times?.p50 ?? Number.NaN,
      p99: times?.p99 ?? Number.NaN,
      last: times?.last ?? Number.NaN,
      missing,
      messagesPerChange: messages / count / nodes,
      convergeMs: end.times?.last ?? Number.NaN,
      ...(await this.#memory()),
    };
  }

  /** All at once with their first state, then all at once again with what they hold. */
  async storm(): Promise<Figures> {
    const opened = await this.open();
    await this.#tick();
    await this.#client.ask({ do: "drop" });
    await this.#settle();
    const before = await this.#client.ask({ do: "counters" });
    const cpuBefore = this.#server.cpuMs();
    const startedAt = performance.now();
    const { nodes, timeoutMs } = this.#effort;
    await this.#client.ask({ do: "open", count: nodes, parallel: PARALLEL, resume: true, timeoutMs });
    const { bytes } = await this.#tick();
    const reconnectMs = performance.now() - startedAt;
    await this.#settle();
    return {
      ...opened,
      reconnectMs,
      reconnectCpuMs: this.#server.cpuMs() - cpuBefore,
      reconnectBytesPerClient: (bytes - before.bytes) / nodes,
      ...(await this.#memory()),
    };
  }

  async #tick(): Promise<ClientAnswer> {
    const change = ++this.#change;
    const { at } = await this.#server.ask({ do: "tick", change });
    return this.#client.ask({ do: "await", change, tickAt: at, timeoutMs: this.#effort.timeoutMs });
  }

  async #memory(): Promise<Figures> {
    await this.#server.ask({ do: "info" });
    return { residentBytes: this.#server.residentBytes(), peakBytes: this.#server.peakResidentBytes() };
  }

  #settle(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.#effort.settleMs));
  }
}

const ASSIGNMENT_TYPE = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment";
const MEMBER_TYPE = "type.googleapis.com/envoy.config.endpoint.v3.LbEndpoint";
const AGGREGATED = "/envoy.service.discovery.v3.AggregatedDiscoveryService";

function clientConfig(row: Row, contestant: Contestant, address: string, { tls }: Effort): object {
  const delta = row.variant === "delta" && contestant !== "floor";
  const { members, resources, endpoints } = row.content;
  const path = delta ? `${AGGREGATED}/DeltaAggregatedResources` : `${AGGREGATED}/StreamAggregatedResources`;
  const assignments = { typeUrl: ASSIGNMENT_TYPE, prefix: "cluster-", count: resources, expect: resources };
  const subscription = members ? memberSubscription(contestant, endpoints) : assignments;
  return {
    address,
    path: members && contestant === "fairlead" ? LEDS_METHOD : path,
    delta,
    subscriptions: [contestant === "floor" ? { ...subscription, expect: 1 } : subscription],
    node: { idPrefix: NODE_PREFIX, cluster: "bench", bytes: row.act.kind === "storm" ? ENVOY_NODE_BYTES : 200 },
    ...(tls && contestant !== "floor" && { caFile: tls.certificate }),
  };
}

const LEDS_METHOD = "/envoy.service.endpoint.v3.LocalityEndpointDiscoveryService/DeltaLocalityEndpoints";

/** go-control-plane 0.14 knows no collections: its clients take all there is of the type. */
function memberSubscription(contestant: Contestant, expect: number): object {
  const collection = "xdstp://bench/envoy.config.endpoint.v3.LbEndpoint/cluster-0/*";
  return { typeUrl: MEMBER_TYPE, names: [contestant === "fairlead" ? collection : "*"], expect };
}
