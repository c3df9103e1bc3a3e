/** What a server allows and how long it waits. Sizes in bytes, durations in milliseconds. */
export type XdsLimits = {
  /** Largest request. The first one of a delta client lists all it holds. Default 64 MiB. */
  readonly maxRequestBytes: number;
  /** Most names in one request, and on one delta stream per type. Default 200 000. */
  readonly maxNames: number;
  /** Largest response to Envoy, which takes what HTTP/2 carries. Default 1 GiB. */
  readonly maxResponseBytes: number;
  /** Largest response to a proxyless gRPC client, whose own limit is 4 MiB. Default 4 MiB less 64 KiB. */
  readonly maxGrpcResponseBytes: number;
  /**
   * How long a resource waits for one it refers to before it goes anyway, which is reported. Default 20 000: longer
   * than the 15 s for which Envoy itself lets a cluster warm.
   */
  readonly waitMs: number;
  /** How long an unacknowledged CDS response keeps back an unrelated one. Default 1000. */
  readonly overtakeMs: number;
  /** How long a client that comes back may take to ask for all its types, before what is gone is removed. Default 5000. */
  readonly settleMs: number;
  /** Ping an idle client this often, and drop it when it does not answer in time. Defaults 30 000 and 20 000. */
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
  /** Connections end after this, ± 10 %, so that clients spread over replicas again. Default 11 h; 0 is never. */
  readonly maxConnectionAgeMs: number;
  /** Concurrent streams on one connection: Envoy opens one per cluster when endpoints have streams of their own. Default 10 000. */
  readonly maxStreamsPerConnection: number;
};

const MIB = 1024 * 1024;

export const DEFAULT_LIMITS: XdsLimits = {
  maxRequestBytes: 64 * MIB,
  maxNames: 200_000,
  maxResponseBytes: 1024 * MIB,
  maxGrpcResponseBytes: 4 * MIB - 64 * 1024,
  waitMs: 20_000,
  overtakeMs: 1000,
  settleMs: 5000,
  keepaliveMs: 30_000,
  keepaliveTimeoutMs: 20_000,
  maxConnectionAgeMs: 11 * 3_600_000,
  maxStreamsPerConnection: 10_000,
};
