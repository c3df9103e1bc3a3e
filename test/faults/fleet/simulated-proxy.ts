/** A proxy without traffic: takes what the planes send over one ADS stream, acknowledges it, and remembers all it was told. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Client, type ClientDuplexStream, credentials, Metadata } from "@grpc/grpc-js";
import { ClusterSchema } from "../../../src/gen/envoy/config/cluster/v3/cluster_pb.ts";
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from "../../../src/gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "../../../src/gen/envoy/service/discovery/v3/discovery_pb.ts";
import type { Random } from "../../../src/runtime/random.ts";

const CLUSTER = "type.googleapis.com/envoy.config.cluster.v3.Cluster";
const ENDPOINTS = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment";
const ADS = "/envoy.service.discovery.v3.AggregatedDiscoveryService";
const RECONNECT_MS = 250;
/** A connection of its own for each proxy, and pings that find a plane which stands still. */
const CHANNEL = {
  "grpc.use_local_subchannel_pool": 1,
  "grpc.keepalive_time_ms": 5_000,
  "grpc.keepalive_timeout_ms": 3_000,
};

export interface SimulatedProxyOptions {
  readonly nodeId: string;
  readonly variant: "delta" | "sotw";
  /** xDS addresses of the planes, of which it takes another one by chance at each connection. */
  readonly planes: readonly string[];
  readonly random: Random;
  /** Called with each endpoint set that arrives, in order. */
  readonly onEndpoints: (endpoints: ClusterLoadAssignment) => void;
}

interface Resource {
  readonly name: string;
  readonly version: string;
  readonly value: Uint8Array;
}

export class SimulatedProxy {
  readonly #options: SimulatedProxyOptions;
  /** By type: what it holds, name to version. */
  readonly #held = { [CLUSTER]: new Map<string, string>(), [ENDPOINTS]: new Map<string, string>() };
  readonly #versionInfo = new Map<string, string>();
  readonly #nonces = new Map<string, string>();
  readonly #clients: readonly Client[];
  /** Of the plane that it is connected to, or was last. */
  #client: Client | undefined;
  #call: ClientDuplexStream<Buffer, Buffer> | undefined;
  #stopped = false;
  connections = 0;

  constructor(options: SimulatedProxyOptions) {
    this.#options = options;
    this.#clients = options.planes.map((address) => new Client(address, credentials.createInsecure(), CHANNEL));
    this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    this.#call?.cancel();
    for (const client of this.#clients) client.close();
  }

  #connect(): void {
    if (this.#stopped) return;
    const others = this.#clients.filter((other) => other !== this.#client);
    const client = others[Math.floor(this.#options.random.next() * others.length)];
    if (client === undefined) throw new Error("a proxy needs two planes");
    this.#client = client;
    const method = this.#options.variant === "delta" ? "DeltaAggregatedResources" : "StreamAggregatedResources";
    const pass = (bytes: Buffer) => bytes;
    const call = client.makeBidiStreamRequest(`${ADS}/${method}`, pass, pass, new Metadata());
    this.#call = call;
    this.#nonces.clear();
    this.connections += 1;
    call.on("error", () => undefined);
    call.once("status", () => setTimeout(() => this.#connect(), RECONNECT_MS));
    call.on("data", (bytes: Buffer) =>
      this.#options.variant === "delta" ? this.#takeDelta(bytes) : this.#takeSotw(bytes),
    );
    this.#ask(CLUSTER, [], true);
    if (this.#held[ENDPOINTS].size > 0) this.#ask(ENDPOINTS, [...this.#held[ENDPOINTS].keys()], true);
  }

  /** The first request of a type on a stream, or a wider subscription. */
  #ask(typeUrl: typeof CLUSTER | typeof ENDPOINTS, names: readonly string[], isFirst: boolean): void {
    const node = this.connections > 0 && isFirst ? { node: { id: this.#options.nodeId, cluster: "edge" } } : {};
    if (this.#options.variant === "delta") {
      const held = [...this.#held[typeUrl]].filter(([, version]) => version !== "");
      this.#write(DeltaDiscoveryRequestSchema, {
        ...node,
        typeUrl,
        resourceNamesSubscribe: [...names],
        ...(isFirst && { initialResourceVersions: Object.fromEntries(held) }),
      });
    } else {
      this.#write(DiscoveryRequestSchema, {
        ...node,
        typeUrl,
        resourceNames: typeUrl === CLUSTER ? [] : [...this.#held[ENDPOINTS].keys()],
        versionInfo: this.#versionInfo.get(typeUrl) ?? "",
        responseNonce: this.#nonces.get(typeUrl) ?? "",
      });
    }
  }

  #takeDelta(bytes: Buffer): void {
    const { typeUrl, resources, removedResources, nonce } = fromBinary(DeltaDiscoveryResponseSchema, bytes);
    this.#take(
      typeUrl,
      resources.map(({ name, version, resource }) => ({ name, version, value: resource?.value ?? new Uint8Array() })),
      removedResources,
    );
    this.#write(DeltaDiscoveryRequestSchema, { typeUrl, responseNonce: nonce });
    if (typeUrl === CLUSTER) this.#follow();
  }

  #takeSotw(bytes: Buffer): void {
    const { typeUrl, resources, nonce, versionInfo } = fromBinary(DiscoveryResponseSchema, bytes);
    const told = resources.map(({ value }) => ({ name: nameOf(typeUrl, value), version: "held", value }));
    const kept = new Set(told.map(({ name }) => name));
    const gone = typeUrl === CLUSTER ? [...this.#held[CLUSTER].keys()].filter((name) => !kept.has(name)) : [];
    this.#take(typeUrl, told, gone);
    this.#versionInfo.set(typeUrl, versionInfo);
    this.#nonces.set(typeUrl, nonce);
    const resourceNames = typeUrl === CLUSTER ? [] : [...this.#held[ENDPOINTS].keys()];
    this.#write(DiscoveryRequestSchema, { typeUrl, versionInfo, responseNonce: nonce, resourceNames });
    if (typeUrl === CLUSTER) this.#follow();
  }

  #take(typeUrl: string, told: readonly Resource[], gone: readonly string[]): void {
    if (typeUrl !== CLUSTER && typeUrl !== ENDPOINTS) throw new Error(`${typeUrl} was not asked for`);
    for (const { name, version, value } of told) {
      this.#held[typeUrl].set(name, version);
      if (typeUrl === ENDPOINTS) this.#options.onEndpoints(fromBinary(ClusterLoadAssignmentSchema, value));
    }
    for (const name of gone) this.#held[typeUrl].delete(name);
  }

  /** Asks for the endpoints of clusters that are new. A name without a version is asked for and has not come yet. */
  #follow(): void {
    const fresh = [...this.#held[CLUSTER].keys()].filter((name) => !this.#held[ENDPOINTS].has(name));
    if (fresh.length === 0) return;
    const isFirst = this.#held[ENDPOINTS].size === 0;
    for (const name of fresh) this.#held[ENDPOINTS].set(name, "");
    this.#ask(ENDPOINTS, fresh, isFirst);
  }

  #write<S extends typeof DeltaDiscoveryRequestSchema | typeof DiscoveryRequestSchema>(
    schema: S,
    request: Parameters<typeof create<S>>[1],
  ): void {
    this.#call?.write(Buffer.from(toBinary(schema, create(schema, request))));
  }
}

function nameOf(typeUrl: string, value: Uint8Array): string {
  return typeUrl === CLUSTER
    ? fromBinary(ClusterSchema, value).name
    : fromBinary(ClusterLoadAssignmentSchema, value).clusterName;
}
