import type { Name } from "../domain/name.ts";

/** How a proxy is; it may be several of these at once. */
export const PROXY_STATES = ["connected", "lagging", "refusing"] as const;
export type ProxyState = (typeof PROXY_STATES)[number];

export interface CountedProxy {
  readonly id: string;
  /** Absent when no fleet selects it. */
  readonly fleet: Name | undefined;
  readonly states: readonly ProxyState[];
}

/**
 * How many proxies of each fleet are in each state; those without a fleet are under `""`. A proxy with several streams, as
 * during a hot restart, is one.
 */
export function countProxies(
  fleets: Iterable<Name>,
  proxies: Iterable<CountedProxy>,
): ReadonlyMap<Name, Readonly<Record<ProxyState, number>>> {
  const ids = new Map<Name, Record<ProxyState, Set<string>>>();
  const ofFleet = (fleet: Name) => {
    const known = ids.get(fleet) ?? eachState(() => new Set<string>());
    ids.set(fleet, known);
    return known;
  };
  for (const fleet of ["", ...fleets]) ofFleet(fleet);
  for (const { id, fleet = "", states } of proxies) for (const state of states) ofFleet(fleet)[state].add(id);
  return new Map([...ids].map(([fleet, byState]) => [fleet, eachState((state) => byState[state].size)]));
}

function eachState<T>(of: (state: ProxyState) => T): Record<ProxyState, T> {
  return Object.fromEntries(PROXY_STATES.map((state) => [state, of(state)])) as Record<ProxyState, T>;
}
