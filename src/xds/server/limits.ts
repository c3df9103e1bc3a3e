import { getHeapStatistics } from "node:v8";

/** What a server allows and how long it waits. Sizes are in bytes, durations in milliseconds. */
export type XdsLimits = {
  /** Largest request. A delta client's first one lists all it holds. Default 32 MiB. */
  readonly maxRequestBytes: number;
  /** How long a stream's first whole request may take, and a later one from its first byte. Default 30 000. */
  readonly requestMs: number;
  /** Most names in one request, and in one stream's subscriptions over all types. Default 50 000. */
  readonly maxNames: number;
  /** Longest name of a resource or a type in a request. Default 16 KiB. */
  readonly maxNameBytes: number;
  /** Longest version or nonce in a request. Default 1 KiB. */
  readonly maxVersionBytes: number;
  /** Largest `node`; nearly all of it is Envoy's extensions, which are not read. Default 1 MiB. */
  readonly maxNodeBytes: number;
  /** Longest text in a node: `id`, which must not be empty, `cluster`, user agent, locality, each feature. Default 1 KiB. */
  readonly maxNodeTextBytes: number;
  /** Largest `node.metadata`. Default 64 KiB. */
  readonly maxNodeMetadataBytes: number;
  /** Most values in `node.metadata`, including nested ones, and most client features. Default 2048. */
  readonly maxNodeValues: number;
  /** How much of a refusal's text is kept; the rest is cut. Default 4 KiB. */
  readonly maxRefusalTextBytes: number;
  /**
   * What all streams of one connection may make the server hold: requests that have not arrived whole, names, nodes,
   * responses that are not read, and 16 KiB for each stream. The stream that asks for more is ended. Default 256 MiB.
   */
  readonly maxHeldBytesPerConnection: number;
  /**
   * The same over all connections, with what streams share counted once. The stream that holds most is ended. Default
   * 1 GiB, or a quarter of Node's heap limit if that is less.
   */
  readonly maxHeldBytes: number;
  /** Most connections. Any more are closed before a byte of them is read. Default 20 000. */
  readonly maxConnections: number;
  /** A connection without a stream is closed after this. Default 60 000. */
  readonly connectionIdleMs: number;
  /** Largest request to the client status service: a few matchers of node ids. Default 64 KiB. */
  readonly maxStatusRequestBytes: number;
  /** Largest answer of the client status service. Default 64 MiB. */
  readonly maxStatusBytes: number;
  /** Largest response to Envoy, which takes whatever HTTP/2 carries. Default 1 GiB. */
  readonly maxResponseBytes: number;
  /** Largest response to a proxyless gRPC client, whose own limit is 4 MiB. Default 4 MiB less 64 KiB. */
  readonly maxGrpcResponseBytes: number;
  /**
   * How long a resource waits for one it refers to before it goes anyway, which is reported. Default 20 000: longer
   * than the 15 s for which Envoy itself lets a cluster warm.
   */
  readonly waitMs: number;
  /**
   * How long after a refusal the same content is tried again, since what it ran into may have gone. The wait doubles each
   * time, up to `maxRetryMs`. Defaults 1000 and 300 000.
   */
  readonly retryMs: number;
  readonly maxRetryMs: number;
  /** How long an unacknowledged CDS response keeps back an unrelated one. Default 1000. */
  readonly overtakeMs: number;
  /** How long a returning client may take to ask for all its types before deleted resources are removed. Default 5000. */
  readonly settleMs: number;
  /** How often an idle client is pinged, and how long it may take to answer before it is dropped. Defaults 30 000 and 20 000. */
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
  /** Connections end after this, ± 10 %, so that clients spread over replicas again. Default 11 h; 0 means never. */
  readonly maxConnectionAgeMs: number;
  /** Concurrent streams on one connection: Envoy opens one per cluster when endpoints have streams of their own. Default 10 000. */
  readonly maxStreamsPerConnection: number;
};

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

export const DEFAULT_LIMITS: XdsLimits = {
  maxRequestBytes: 32 * MIB,
  requestMs: 30_000,
  maxNames: 50_000,
  maxNameBytes: 16 * KIB,
  maxVersionBytes: KIB,
  maxNodeBytes: MIB,
  maxNodeTextBytes: KIB,
  maxNodeMetadataBytes: 64 * KIB,
  maxNodeValues: 2048,
  maxRefusalTextBytes: 4 * KIB,
  maxHeldBytesPerConnection: 256 * MIB,
  maxHeldBytes: Math.min(GIB, Math.floor(getHeapStatistics().heap_size_limit / 4)),
  maxConnections: 20_000,
  connectionIdleMs: 60_000,
  maxStatusRequestBytes: 64 * KIB,
  maxStatusBytes: 64 * MIB,
  maxResponseBytes: GIB,
  maxGrpcResponseBytes: 4 * MIB - 64 * KIB,
  waitMs: 20_000,
  retryMs: 1000,
  maxRetryMs: 300_000,
  overtakeMs: 1000,
  settleMs: 5000,
  keepaliveMs: 30_000,
  keepaliveTimeoutMs: 20_000,
  maxConnectionAgeMs: 11 * 3_600_000,
  maxStreamsPerConnection: 10_000,
};

/** Limits that end a stream, or keep a connection out, when a client meets them. */
export const REFUSING_LIMITS = [
  "maxRequestBytes",
  "requestMs",
  "maxNames",
  "maxNameBytes",
  "maxVersionBytes",
  "maxNodeBytes",
  "maxNodeTextBytes",
  "maxNodeMetadataBytes",
  "maxNodeValues",
  "maxHeldBytesPerConnection",
  "maxHeldBytes",
  "maxConnections",
  "maxStatusRequestBytes",
  "maxStatusBytes",
] as const satisfies (keyof XdsLimits)[];

export type RefusingLimit = (typeof REFUSING_LIMITS)[number];
