import type { Identified } from "./meta.ts";
import type { Name } from "./name.ts";

export type PathMatch =
  | { readonly kind: "exact"; readonly path: string }
  /** Whole segments: `/api` matches `/api` and `/api/x`, never `/apix`. */
  | { readonly kind: "prefix"; readonly path: string }
  | { readonly kind: "regex"; readonly regex: string };

export interface HeaderMatch {
  readonly name: string;
  readonly kind: "exact" | "prefix" | "suffix" | "contains" | "regex" | "present";
  /** Empty for `present`. */
  readonly value: string;
  readonly invert: boolean;
}

export interface Destination {
  readonly service: Name;
  readonly weight: number;
}

export interface Retry {
  readonly attempts: number;
  /** In Envoy's terms; empty: what the fleet's profile says. */
  readonly on: readonly string[];
  readonly perTryTimeoutMs: number | undefined;
  /** Whether a request, whatever its method, is retried even where it may have been processed. */
  readonly unsafe: boolean;
}

export interface Rule {
  readonly priority: number;
  readonly path: PathMatch;
  readonly headers: readonly HeaderMatch[];
  /** Any of them; empty for any method. */
  readonly methods: readonly string[];
  readonly to: readonly Destination[];
  /** 0 means no limit. */
  readonly timeoutMs: number;
  readonly retry: Retry | undefined;
  readonly rewrite: { readonly prefix: string | undefined; readonly host: string | undefined };
}

/** What a rule gets by default. */
export const DEFAULT_RULE = { timeoutMs: 15_000 } as const satisfies Partial<Rule>;
export const DEFAULT_DESTINATION = { weight: 1 } as const satisfies Partial<Destination>;

/** Rules that lead requests for some hosts to services. */
export interface Route extends Identified {
  readonly listeners: readonly Name[];
  readonly hosts: readonly string[];
  readonly rules: readonly Rule[];
}

/** The services that a route leads to, some of them perhaps more than once; those of weight 0 are left out. */
export function destinationsOf({ rules }: Route): readonly Name[] {
  return rules.flatMap(({ to }) => to.flatMap(({ service, weight }) => (weight > 0 ? [service] : [])));
}
