/** One server, one load client, one measurement. */
import { cpuMsOf, peakResidentBytesOf, residentBytesOf } from "./ledger.ts";
import { ControlledProcess } from "./process.ts";
import { FLEET, LISTENER, startProduct } from "./product.ts";
import { type Contestant, loadClientProgram } from "./programs.ts";
import { type RestartableServer, type ServerUnderTest, startControlled } from "./server-under-test.ts";
import { median, quantile } from "./statistics.ts";
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
  readonly resources: number;
  readonly removed: number;
}

type Client = ControlledProcess<object, ClientAnswer>;

/** Starts both, measures what the row asks for, and stops both. */
export async function runTrial(row: Row, contestant: Contestant, effort: Effort): Promise<Figures> {
  const client: Client = new ControlledProcess(loadClientProgram());
  let server: ServerUnderTest | undefined;
  try {
    server = await startServer(row, contestant, effort);
    await client.ask(clientConfig(row, contestant, server.address, effort));
    const trial = new Trial(server, client, effort);
    const { act } = row;
    if (act.kind === "storm") return await trial.storm();
    const opened = await trial.open();
    if (act.kind === "ticks") return { ...opened, ...(await trial.ticks()) };
    if (act.kind === "churn") return { ...opened, ...(await trial.isolation(act)) };
    return { ...opened, ...(await trial.restart(server as RestartableServer)) };
  } finally {
    await Promise.all([client.stop(), server?.stop()]);
  }
}

async function startServer(row: Row, contestant: Contestant, effort: Effort): Promise<ServerUnderTest> {
  if (contestant === "embedded" || contestant === "nats") return startProduct(row.content, contestant);
  const isFloor = contestant === "floor";
  const tls = effort.tls !== undefined && !isFloor ? effort.tls : {};
  const api = row.throughApi && !isFloor;
  const config = { mode: contestant, ...row.content, nodePrefix: NODE_PREFIX, nodes: effort.nodes, api, ...tls };
  return startControlled(contestant, config);
}

const NODE_PREFIX = "node-";
const ENVOY_NODE_BYTES = 61_000;
/** What slow servers are cut short at, so that a run ends. */
const MOST_WARM_UP_MS = 10_000;
const MOST_TICKS_MS = 15_000;
const FEWEST_TICKS = 3;
/** Connections that are being made at the same time. */
const PARALLEL = 256;

class Trial {
  readonly #server: ServerUnderTest;
  readonly #client: Client;
  readonly #effort: Effort;
  #change = 0;

  constructor(server: ServerUnderTest, client: Client, effort: Effort) {
    this.#server = server;
    this.#client = client;
    this.#effort = effort;
  }

  /** Connects all clients and gives each its first state. */
  async open(resume = false): Promise<Figures> {
    const { nodes, timeoutMs } = this.#effort;
    await this.#server.tidy();
    const before = { resident: residentBytesOf(this.#server.pid), cpuMs: this.#cpuMs() };
    const { ms = Number.NaN } = await this.#client.ask({
      do: "open",
      count: nodes,
      parallel: PARALLEL,
      resume,
      timeoutMs,
    });
    await this.#settle();
    const connectCpuMs = this.#cpuMs() - before.cpuMs;
    const heapBytes = await this.#server.tidy();
    const perClient = (residentBytesOf(this.#server.pid) - before.resident) / nodes;
    return { connectMs: ms, connectCpuMs, idleBytesPerClient: perClient, heapBytes, residentBefore: before.resident };
  }

  /** Change after change, each awaited by all clients. Medians over the ticks. */
  async ticks(): Promise<Figures> {
    const { nodes, ticks } = this.#effort;
    const all: Record<string, number>[] = [];
    await this.#warmUp();
    await this.#settle();
    const startedAt = performance.now();
    for (let tick = 0; tick < ticks; tick++) {
      if (tick >= FEWEST_TICKS && performance.now() - startedAt > MOST_TICKS_MS) break;
      const cpuBefore = { server: this.#cpuMs(), client: cpuMsOf(this.#client.pid) };
      const before = await this.#client.ask({ do: "counters" });
      const { times, missing, ...after } = await this.#tick();
      await this.#settle();
      if (!times) continue;
      all.push({
        cpuPerThousand: ((this.#cpuMs() - cpuBefore.server) / nodes) * 1000,
        clientCpuPerThousand: ((cpuMsOf(this.#client.pid) - cpuBefore.client) / nodes) * 1000,
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

  /** A steady stream of changes; where some clients are to stop reading, first while all still do. */
  async isolation({ perSecond, stalledShare }: { perSecond: number; stalledShare: number }): Promise<Figures> {
    await this.#warmUp();
    if (stalledShare === 0) return this.churn(perSecond);
    const before = await this.churn(perSecond);
    await this.#client.ask({ do: "stall", share: stalledShare });
    const stalled = await this.churn(perSecond);
    const { p99 = Number.NaN, peakBytes = Number.NaN } = before;
    return { ...stalled, p99Before: p99, p99Grew: (stalled["p99"] ?? Number.NaN) / p99, peakBytesBefore: peakBytes };
  }

  async churn(perSecond: number): Promise<Figures> {
    const { churnSeconds, nodes, timeoutMs } = this.#effort;
    await this.#client.ask({ do: "record" });
    const count = Math.max(1, Math.round(perSecond * churnSeconds));
    const first = this.#change + 1;
    const startedAt = performance.now();
    const cpuBefore = this.#cpuMs();
    const { ticksAt, writesMs } = await this.#server.churn({ first, count, perSecond });
    const made = ticksAt.length;
    this.#change += made;
    const tookMs = performance.now() - startedAt;
    const busyMs = this.#cpuMs() - cpuBefore;
    const tickAt = ticksAt.at(-1) ?? 0;
    const end = await this.#client.ask({ do: "await", change: this.#change, tickAt, timeoutMs });
    const { times, missing, messages } = await this.#client.ask({ do: "staleness", change: first, ticksAt });
    return {
      busyShare: busyMs / tookMs,
      cpuPerChange: busyMs / made,
      changesPerSecond: (made / tookMs) * 1000,
      p50: times?.p50 ?? Number.NaN,
      p99: times?.p99 ?? Number.NaN,
      last: times?.last ?? Number.NaN,
      missing,
      messagesPerChange: messages / made / nodes,
      convergeMs: end.times?.last ?? Number.NaN,
      ...(writesMs.length > 0 && { writeP50: quantile(writesMs, 0.5), writeP99: quantile(writesMs, 0.99) }),
      ...(await this.#memory()),
    };
  }

  /** All served, the process killed and started again, all come back with what they hold. */
  async restart(server: RestartableServer): Promise<Figures> {
    const { nodes, timeoutMs } = this.#effort;
    await this.#tick();
    await server.crash();
    await this.#client.ask({ do: "drop" });
    const before = await this.#client.ask({ do: "counters" });
    const startedAt = performance.now();
    const readyAt = await server.restart();
    await this.#client.ask({ do: "open", count: nodes, parallel: PARALLEL, resume: true, timeoutMs });
    const after = await this.#tick();
    const servedAt = performance.now();
    await this.#settle();
    return {
      readyMs: readyAt - startedAt,
      servedMs: servedAt - readyAt,
      // One resource each is the change that shows that all are served.
      resentPerClient: (after.resources - before.resources) / nodes - 1,
      removedPerClient: (after.removed - before.removed) / nodes,
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
    const cpuBefore = this.#cpuMs();
    const startedAt = performance.now();
    const { nodes, timeoutMs } = this.#effort;
    await this.#client.ask({ do: "open", count: nodes, parallel: PARALLEL, resume: true, timeoutMs });
    const { bytes } = await this.#tick();
    const reconnectMs = performance.now() - startedAt;
    await this.#settle();
    return {
      ...opened,
      reconnectMs,
      reconnectCpuMs: this.#cpuMs() - cpuBefore,
      reconnectBytesPerClient: (bytes - before.bytes) / nodes,
      ...(await this.#memory()),
    };
  }

  /** Until compilers have done their work. A server that takes seconds for a change is not made faster by more of them. */
  async #warmUp(): Promise<void> {
    const startedAt = performance.now();
    for (let made = 0; made < this.#effort.warmUps; made++) {
      if (performance.now() - startedAt > MOST_WARM_UP_MS) return;
      await this.#tick();
    }
  }

  async #tick(): Promise<ClientAnswer> {
    const change = ++this.#change;
    const tickAt = await this.#server.tick(change);
    return this.#client.ask({ do: "await", change, tickAt, timeoutMs: this.#effort.timeoutMs });
  }

  async #memory(): Promise<Figures> {
    const { pid } = this.#server;
    const peakBytes = peakResidentBytesOf(pid);
    await this.#server.tidy();
    return { residentBytes: residentBytesOf(pid), peakBytes };
  }

  #cpuMs(): number {
    return cpuMsOf(this.#server.pid);
  }

  #settle(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.#effort.settleMs));
  }
}

const TYPES = "type.googleapis.com/envoy.config";
const ASSIGNMENT_TYPE = `${TYPES}.endpoint.v3.ClusterLoadAssignment`;
const MEMBER_TYPE = `${TYPES}.endpoint.v3.LbEndpoint`;
const AGGREGATED = "/envoy.service.discovery.v3.AggregatedDiscoveryService";

function clientConfig(row: Row, contestant: Contestant, address: string, { tls }: Effort): object {
  const delta = row.variant === "delta" && contestant !== "floor";
  const { members, resources, endpoints } = row.content;
  const path = delta ? `${AGGREGATED}/DeltaAggregatedResources` : `${AGGREGATED}/StreamAggregatedResources`;
  const assignments = { typeUrl: ASSIGNMENT_TYPE, prefix: "cluster-", count: resources, expect: resources };
  const subscription = members ? memberSubscription(contestant, endpoints) : assignments;
  const wanted = contestant === "floor" ? { ...subscription, expect: 1 } : subscription;
  return {
    address,
    path: members && contestant === "fairlead" ? LEDS_METHOD : path,
    delta,
    subscriptions: row.throughApi && contestant !== "floor" ? allTypes(subscription, resources) : [wanted],
    node: { idPrefix: NODE_PREFIX, cluster: FLEET, bytes: row.act.kind === "storm" ? ENVOY_NODE_BYTES : 200 },
    ...(tls && contestant !== "floor" && { caFile: tls.certificate }),
  };
}

const LEDS_METHOD = "/envoy.service.endpoint.v3.LocalityEndpointDiscoveryService/DeltaLocalityEndpoints";

/** go-control-plane 0.14 knows no collections: its clients take all there is of the type. */
function memberSubscription(contestant: Contestant, expect: number): object {
  const collection = "xdstp://bench/envoy.config.endpoint.v3.LbEndpoint/cluster-0/*";
  return { typeUrl: MEMBER_TYPE, names: [contestant === "fairlead" ? collection : "*"], expect };
}

/** What Envoy asks for, in its order. */
function allTypes(endpoints: object, services: number): object[] {
  return [
    { typeUrl: `${TYPES}.cluster.v3.Cluster`, names: ["*"], expect: services },
    endpoints,
    { typeUrl: `${TYPES}.listener.v3.Listener`, names: ["*"], expect: 1 },
    { typeUrl: `${TYPES}.route.v3.RouteConfiguration`, names: [LISTENER], expect: 1 },
  ];
}
