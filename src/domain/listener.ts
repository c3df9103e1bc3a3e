import type { Identified } from "./meta.ts";
import type { Name } from "./name.ts";

/** Where the clients of a fleet take their routes from, by the protocol spoken there. */
export type Listener = HttpListener | GrpcListener;

interface AnyListener extends Identified {
  readonly fleet: Name;
}

/** HTTP/1.1 and HTTP/2 without TLS, accepted by proxies. */
export interface HttpListener extends AnyListener {
  readonly protocol: "HTTP";
  readonly ip: string;
  readonly port: number;
  readonly idleTimeoutMs: number;
  /** 0 means never. */
  readonly streamIdleTimeoutMs: number;
  readonly requestHeadersTimeoutMs: number;
  readonly drainTimeoutMs: number;
}

/** Calls that programs with a gRPC library make themselves: nothing is opened, so there is no address. */
export interface GrpcListener extends AnyListener {
  readonly protocol: "GRPC";
}

/** What a listener gets by default. */
export const DEFAULT_LISTENER = { protocol: "HTTP" } as const satisfies Partial<Listener>;

/** The minimum, maximum and default of each time of an HTTP listener. */
export const HTTP_LISTENER_TIMES = {
  idleTimeout: { minMs: 1000, maxMs: 24 * 3_600_000, otherwiseMs: 3_600_000 },
  streamIdleTimeout: { minMs: 0, maxMs: 24 * 3_600_000, otherwiseMs: 300_000 },
  requestHeadersTimeout: { minMs: 1000, maxMs: 600_000, otherwiseMs: 30_000 },
  drainTimeout: { minMs: 0, maxMs: 3_600_000, otherwiseMs: 5000 },
} as const;
