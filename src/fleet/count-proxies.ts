import type { Name } from "../domain/name.ts";
import type { FleetPresence } from "../domain/presence.ts";

/** How a proxy that is connected is; it may be several of these at once. */
const PROXY_STATES = ["connected", "lagging", "refusing"] as const;
export type ProxyState = (typeof PROXY_STATES)[number];

export interface CountedProxy {
  readonly id: string;
  /** Absent when no fleet selects it. */
  readonly fleet: Name | undefined;
  readonly states: readonly ProxyState[];
}

/** Of one fleet: how many proxies are in each state, how many there should be if somebody said so, and how many are gone. */
export type ProxyCounts = Readonly<Record<ProxyState | "gone", number> & { expected?: number }>;

/**
 * How the proxies of each fleet are that are connected, beside what is known of all of them; those without a fleet are under
 * `""`. A proxy with several streams, as during a hot restart, is one.
 */
export function countProxies(
  fleets: ReadonlyMap<Name, FleetPresence>,
  proxies: Iterable<CountedProxy>,
): ReadonlyMap<Name, ProxyCounts> {
  const ids = new Map<Name, Record<ProxyState, Set<string>>>();
  const ofFleet = (fleet: Name) => {
    const known = ids.get(fleet) ?? eachState(() => new Set<string>());
    ids.set(fleet, known);
    return known;
  };
  for (const fleet of ["", ...fleets.keys()]) ofFleet(fleet);
  for (const { id, fleet = "", states } of proxies) for (const state of states) ofFleet(fleet)[state].add(id);
  return new Map(
    Array.from(ids, ([fleet, byState]) => {
      const { expected, gone = 0 } = fleets.get(fleet) ?? {};
      return [
        fleet,
        { ...eachState((state) => byState[state].size), ...(expected !== undefined && { expected }), gone },
      ];
    }),
  );
}

function eachState<T>(of: (state: ProxyState) => T): Record<ProxyState, T> {
  return Object.fromEntries(PROXY_STATES.map((state) => [state, of(state)])) as Record<ProxyState, T>;
}
