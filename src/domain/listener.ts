import type { Identified } from "./meta.ts";
import type { Name } from "./name.ts";

/** Where the proxies of a fleet accept traffic. */
export interface Listener extends Identified {
  readonly fleet: Name;
  readonly ip: string;
  readonly port: number;
  readonly idleTimeoutMs: number;
  /** 0 means never. */
  readonly streamIdleTimeoutMs: number;
  readonly requestHeadersTimeoutMs: number;
  readonly drainTimeoutMs: number;
}
