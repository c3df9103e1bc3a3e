import { type DampingRules, DEFAULT_DAMPING } from "./damping.ts";
import type { Identified } from "./meta.ts";

export type Algorithm = "ROUND_ROBIN" | "LEAST_REQUEST" | "RING_HASH" | "MAGLEV" | "RANDOM";

export type HashKey =
  | { readonly kind: "header"; readonly name: string }
  | { readonly kind: "cookie"; readonly name: string; readonly ttlMs: number | undefined; readonly path: string }
  | { readonly kind: "sourceIp" }
  | { readonly kind: "queryParameter"; readonly name: string };

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
  readonly maxEjectionPercent: number;
}

/** How traffic is spread, without the envelope: also what a service without a policy gets. */
export interface PolicySpec {
  readonly algorithm: Algorithm;
  /** Percent of healthy backends below which Envoy sends to all. 0: never to an unhealthy one (law 1). */
  readonly panicThreshold: number;
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
  maxEjectionPercent: 10,
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
