import type { Identified } from "./meta.ts";

/** A set of proxies that get the same listeners. */
export interface Fleet extends Identified {
  /** Everything that is given must hold. */
  readonly nodes: { readonly cluster: string | undefined; readonly metadata: Readonly<Record<string, string>> };
  /** Where its backends may be, as `readBackendNetwork` spells it; empty for everywhere but special places. */
  readonly backendNetworks: readonly string[];
  /** Which defaults its proxies get: see `fleetProfile`. */
  readonly profile: number;
  /** How many proxies there should be; undefined if nobody said. */
  readonly expected: number | undefined;
  /** How long a proxy that is gone is remembered, and is a problem. */
  readonly forgetAfterMs: number;
}

/** A rolling restart of machines must not make the plane forget proxies before they are back. */
export const FORGET_AFTER = { minMs: 60_000, maxMs: 30 * 24 * 3_600_000, otherwiseMs: 3_600_000 } as const;
