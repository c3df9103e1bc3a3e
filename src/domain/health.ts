import type { Damping } from "./damping.ts";
import type { Identified } from "./meta.ts";
import type { Name } from "./name.ts";

export type HealthStatus = "HEALTHY" | "DEGRADED" | "UNHEALTHY";

/** One source's verdict on one backend. Its name is `SERVICE/ID/SOURCE`. */
export interface Health extends Identified {
  readonly backend: Name;
  /** `override`, `prober` or `reporter:ID`. */
  readonly source: string;
  readonly status: HealthStatus;
  readonly reason: string;
  /** Orders the observations of one source (law 3): never a clock. */
  readonly sequence: bigint;
  readonly observedAt: number | undefined;
  /** The uid of the backend that was observed; a verdict on an earlier uid does not count. */
  readonly backendUid: string;
  readonly expiresAt: number | undefined;
  readonly actor: string;
  /** Milliseconds since the epoch: when the status became what it is, however often it was repeated since. */
  readonly statusSince: number | undefined;
  /** The replica that checked. Only the source `prober` sets this and the rest. */
  readonly observer: string;
  /** Orders the verdicts of different probers, as `sequence` orders those of one; `fence` in the API. */
  readonly fencingToken: bigint;
  readonly inRow: number;
  readonly lastGoodAt: number | undefined;
  readonly damping: Damping;
}
