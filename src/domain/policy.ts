import { type DampingRules, DEFAULT_DAMPING } from "./damping.ts";
import type { Identified } from "./meta.ts";

export type Algorithm = "ROUND_ROBIN" | "LEAST_REQUEST" | "RING_HASH" | "MAGLEV" | "RANDOM";

/** One property of a request. */
export type SingleHashKey =
  | { readonly kind: "header"; readonly name: string }
  | { readonly kind: "cookie"; readonly name: string; readonly ttlMs: number | undefined; readonly path: string }
  | { readonly kind: "sourceIp" }
  | { readonly kind: "queryParameter"; readonly name: string };

/** `all`: those of its keys that a request has, together. */
export type HashKey = SingleHashKey | { readonly kind: "all"; readonly keys: readonly SingleHashKey[] };

export interface CircuitBreakers {
  readonly maxConnections: number;
  readonly maxPendingRequests: number;
  readonly maxRequests: number;
  readonly maxRetries: number;
}

export interface OutlierDetection {
  readonly consecutive5xx: number;
  readonly intervalMs: number;
  readonly baseEjectionTimeMs: number;
  /** Absent: what the fleet's profile says. */
  readonly maxEjectionPercent: number | undefined;
}

/** How traffic is spread, without the envelope: also what a service without a policy gets. */
export interface PolicySpec {
  readonly algorithm: Algorithm;
  /** Percent of healthy backends below which Envoy sends to all. 0: never to an unhealthy one (law 1). */
  readonly panicThreshold: number;
  /** The first key that a request has counts. */
  readonly hashOn: readonly HashKey[];
  readonly choiceCount: number;
  readonly ringSize: { readonly minimum: number; readonly maximum: number };
  readonly maglevTableSize: number;
  readonly circuitBreakers: CircuitBreakers;
  /** Absent when switched off. */
  readonly outlierDetection: OutlierDetection | undefined;
  /** Absent when switched off. */
  readonly damping: DampingRules | undefined;
}

export interface Policy extends Identified, PolicySpec {}

export const DEFAULT_OUTLIER_DETECTION: OutlierDetection = {
  consecutive5xx: 5,
  intervalMs: 10_000,
  baseEjectionTimeMs: 30_000,
  maxEjectionPercent: undefined,
};

export const DEFAULT_POLICY: PolicySpec = {
  algorithm: "ROUND_ROBIN",
  panicThreshold: 0,
  hashOn: [],
  choiceCount: 2,
  ringSize: { minimum: 1024, maximum: 8_388_608 },
  maglevTableSize: 65_537,
  circuitBreakers: { maxConnections: 100_000, maxPendingRequests: 100_000, maxRequests: 100_000, maxRetries: 1000 },
  outlierDetection: DEFAULT_OUTLIER_DETECTION,
  damping: DEFAULT_DAMPING,
};
