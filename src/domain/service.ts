import type { HealthCheck } from "./health-check.ts";
import type { Identified } from "./meta.ts";
import type { Name } from "./name.ts";

/** What clients call: a set of interchangeable backends. */
export interface Service extends Identified {
  readonly protocol: "HTTP" | "HTTP2";
  /** The policy it names; without one, the policy of its own name counts. */
  readonly policy: Name | undefined;
  /** How proxies learn of the backends. `AUTO`: by their number. */
  readonly endpointDiscovery: "AUTO" | "EDS" | "LEDS";
  readonly connectTimeoutMs: number;
  readonly drainTimeMs: number;
  /** Absent: the plane checks nothing. */
  readonly healthCheck: HealthCheck | undefined;
}

/** What a service gets by default. */
export const DEFAULT_SERVICE = {
  protocol: "HTTP",
  endpointDiscovery: "AUTO",
} as const satisfies Partial<Service>;

/** The minimum, maximum and default of each time of a service. */
export const SERVICE_TIMES = {
  connectTimeout: { minMs: 10, maxMs: 60_000, otherwiseMs: 5000 },
  drainTime: { minMs: 0, maxMs: 3_600_000, otherwiseMs: 300_000 },
} as const;
