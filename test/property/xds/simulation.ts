/** A cache, streams and simulated clients in one thread, under the control of a list of moves. */
import type { Report } from "../../../src/xds/protocol/events.ts";
import { lostAnswers } from "../../../src/xds/protocol/lost-answers.ts";
import {
  CLUSTER_TYPE,
  createRegistry,
  ENDPOINT_TYPE,
  LISTENER_TYPE,
  ROUTE_TYPE,
} from "../../../src/xds/protocol/resource-types.ts";
import { ProtocolStream } from "../../../src/xds/protocol/stream.ts";
import { LocalRefusalMemory } from "../../../src/xds/server/refusal-memory.ts";
import { ResourceCache, type Transaction } from "../../../src/xds/server/resource-cache.ts";
import { SimulatedEnvoy } from "./simulated-envoy.ts";

/** What one service is at a moment: present or not, with which content, and which cluster its route leads to. */
export type ServiceState = {
  readonly name: string;
  readonly present: boolean;
  readonly cluster: string;
  readonly endpoints: string;
  readonly route: string;
  readonly routeTo: string;
};

export type Move =
  | { readonly kind: "publish"; readonly services: readonly ServiceState[] }
  /** A client reads its next responses. */
  | { readonly kind: "read"; readonly client: number; readonly count: number }
  /** The server reads a client's next requests. */
  | { readonly kind: "serve"; readonly client: number; readonly count: number }
  /** The caller keeps a resource back from everyone, or nothing any more. */
  | { readonly kind: "hold"; readonly typeUrl: string; readonly name: string }
  | { readonly kind: "free" }
  | { readonly kind: "reconnect"; readonly client: number }
  | { readonly kind: "pass"; readonly ms: number };

const REGISTRY = createRegistry();
const GROUP = "g";

class Connection {
  readonly client: SimulatedEnvoy;
  readonly memory = new LocalRefusalMemory();
  late = 0;
  stream: ProtocolStream | undefined;

  constructor(client: SimulatedEnvoy) {
    this.client = client;
  }
}

export class Simulation {
  readonly cache = new ResourceCache();
  readonly connections: readonly Connection[];
  #now = 0;
  #streams = 0;
  readonly #held = new Set<string>();

  readonly #checksRoutes: boolean;

  constructor(variants: readonly ("delta" | "sotw")[], random: () => number, options = { checksRoutes: false }) {
    this.#checksRoutes = options.checksRoutes;
    this.cache.update(GROUP, () => undefined);
    this.connections = variants.map((variant) => new Connection(new SimulatedEnvoy(variant, random)));
    this.cache.onChange((_group, changes, publication) => {
      for (const { stream } of this.connections) {
        for (const [typeUrl, names] of changes) stream?.publish(typeUrl, names, publication);
      }
    });
    for (const connection of this.connections) this.#connect(connection);
  }

  play(move: Move): void {
    if (move.kind === "pass") this.#now += move.ms;
    else if (move.kind === "hold") this.#held.add(`${move.typeUrl} ${move.name}`);
    else if (move.kind === "free") this.#free();
    else if (move.kind === "publish") this.cache.update(GROUP, (tx) => publish(tx, move.services));
    else {
      const connection = this.connections[move.client % this.connections.length];
      if (!connection) return;
      if (move.kind === "reconnect") this.#connect(connection);
      else for (let index = 0; index < move.count; index++) this.#exchange(connection, move.kind);
    }
    for (const connection of this.connections) this.#flush(connection);
  }

  /** Delivers everything until nothing moves any more, however long that takes. */
  settle(): void {
    for (let round = 0; round < 200; round++) {
      for (const connection of this.connections) {
        for (let index = 0; index < 20; index++) {
          this.#exchange(connection, "read");
          this.#exchange(connection, "serve");
          this.#flush(connection);
        }
      }
      const moving = this.connections.some(({ client }) => client.inbox.length + client.outbox.length > 0);
      if (!moving && round > 40) return;
      this.#now += 1000;
      for (const connection of this.connections) {
        if (!moving && round % 20 === 19) connection.client.expire();
        this.#flush(connection);
      }
    }
    throw new Error("the exchange does not come to rest");
  }

  #free(): void {
    this.#held.clear();
    for (const { stream } of this.connections) stream?.releaseHolds();
  }

  #connect(connection: Connection): void {
    const { client, memory } = connection;
    const lost = lostAnswers(connection.stream?.states ?? new Map());
    connection.stream = new ProtocolStream({
      variant: client.variant,
      registry: REGISTRY,
      aggregated: true,
      nonceTags: { own: `${this.#streams++}-`, shared: "s" },
      waitMs: 45_000,
      overtakeMs: 1000,
      settleMs: 1000,
      retry: { baseMs: 1000, maxMs: 300_000, spread: 0 },
      maxResponseBytes: 1_000_000,
      maxAbsent: 1,
      takesPartly: false,
      honoursTtl: true,
    });
    for (const { typeUrl, name } of memory.load("")) connection.stream.remember(typeUrl, name);
    connection.stream.recall(lost);
    connection.stream.attach(this.cache.served(GROUP));
    client.connect();
  }

  #exchange(connection: Connection, side: "read" | "serve"): void {
    const { client, stream } = connection;
    if (side === "read") {
      client.step();
      const broken = client.brokenRoutes();
      if (this.#checksRoutes && broken.length > 0) client.violations.push(`routes lead nowhere: ${broken.join()}`);
      return;
    }
    const message = client.outbox.shift();
    if (!message || !stream) return;
    const reports =
      message.variant === "delta"
        ? stream.receiveDelta(message.request, this.#now)
        : stream.receiveSotw(message.request, this.#now);
    this.#note(connection, reports);
    this.#flush(connection);
  }

  #flush(connection: Connection): void {
    const { client, stream } = connection;
    if (!stream) return;
    const { sends, reports } = stream.flush(this.#now, ({ typeUrl, name }) =>
      this.#held.has(`${typeUrl} ${name}`) ? "held" : undefined,
    );
    client.inbox.push(...sends);
    this.#note(connection, reports);
    for (const { flights } of stream.states.values()) {
      if (flights.length > 2) client.violations.push("more than two responses of one type in flight");
    }
    if (client.inbox.length > 8) client.violations.push(`${client.inbox.length} responses wait for a slow reader`);
  }

  #note(connection: Connection, reports: readonly Report[]): void {
    for (const report of reports) {
      if (report.kind === "late") connection.late++;
      if (report.kind === "cleared") connection.memory.clear("", report.typeUrl, report.names);
      if (report.kind === "nack") {
        const names = [...report.refusal.items.keys()];
        connection.memory.record("", { typeUrl: report.typeUrl, names, message: "" });
      }
    }
  }
}

/** Services become clusters, endpoint sets, listeners and routes, all in one update. */
function publish(tx: Transaction, services: readonly ServiceState[]): void {
  for (const { name, present, cluster, endpoints, route, routeTo } of services) {
    if (!present) {
      tx.delete(CLUSTER_TYPE, name);
      tx.delete(ENDPOINT_TYPE, name);
      tx.delete(LISTENER_TYPE, name);
      tx.delete(ROUTE_TYPE, name);
      continue;
    }
    tx.set(resource(CLUSTER_TYPE, name, cluster, [[ENDPOINT_TYPE, name]]));
    tx.set(resource(ENDPOINT_TYPE, name, endpoints, []));
    tx.set(resource(LISTENER_TYPE, name, "1", [[ROUTE_TYPE, name]]));
    tx.set(resource(ROUTE_TYPE, name, `${route}-${routeTo}`, [[CLUSTER_TYPE, routeTo]]));
  }
}

function resource(typeUrl: string, name: string, version: string, references: readonly [string, string][]) {
  return {
    typeUrl,
    name,
    version,
    body: Buffer.from(version),
    references: references.map(([of, to]) => ({ typeUrl: of, name: to })),
  };
}
