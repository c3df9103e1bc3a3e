import type { Identified } from "./meta.ts";
import type { Name } from "./name.ts";

/** Where the proxies of a fleet accept traffic, by what is spoken there. */
export type Listener = HttpListener;

interface AnyListener extends Identified {
  readonly fleet: Name;
  readonly ip: string;
  readonly port: number;
}

/** HTTP/1.1 and HTTP/2 without TLS. */
export interface HttpListener extends AnyListener {
  readonly protocol: "HTTP";
  readonly idleTimeoutMs: number;
  /** 0 means never. */
  readonly streamIdleTimeoutMs: number;
  readonly requestHeadersTimeoutMs: number;
  readonly drainTimeoutMs: number;
}

/** What an HTTP listener gets that does not say it. */
export const DEFAULT_HTTP_LISTENER = {
  idleTimeoutMs: 3_600_000,
  streamIdleTimeoutMs: 300_000,
  requestHeadersTimeoutMs: 30_000,
  drainTimeoutMs: 5000,
} as const satisfies Partial<HttpListener>;
