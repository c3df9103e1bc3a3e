import type { Identified } from "./meta.ts";

/** A set of proxies that get the same listeners. */
export interface Fleet extends Identified {
  /** Everything that is given must hold. */
  readonly nodes: { readonly cluster: string | undefined; readonly metadata: Readonly<Record<string, string>> };
  /** Where its backends may be, as `readBackendNetwork` spells it; empty for everywhere but special places. */
  readonly backendNetworks: readonly string[];
  /** Which defaults its proxies get: see `fleetProfile`. */
  readonly profile: number;
}
