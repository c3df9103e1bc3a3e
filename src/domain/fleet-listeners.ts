import { targetText } from "./backend.ts";
import type { Listener } from "./listener.ts";
import { byAge } from "./meta.ts";
import type { Name } from "./name.ts";
import type { Route } from "./route.ts";
import type { State } from "./state.ts";

export interface FleetListeners {
  /** Those that the fleet's proxies open, by age. */
  readonly open: readonly Listener[];
  /** For each of the others, the older listener that holds its address. */
  readonly refused: ReadonlyMap<Name, Listener>;
}

interface Sharing {
  readonly open: Listener[];
  readonly refused: Map<Name, Listener>;
  readonly holders: Map<string, Listener>;
}

/** Shares out addresses among the listeners of each fleet: of two that want the same one, the older gets it. */
export function fleetListeners(state: State): ReadonlyMap<Name, FleetListeners> {
  const fleets = new Map<Name, Sharing>();
  for (const listener of [...state.all("listener")].toSorted(byAge)) {
    const fleet: Sharing = fleets.get(listener.fleet) ?? { open: [], refused: new Map(), holders: new Map() };
    fleets.set(listener.fleet, fleet);
    const address = listenerAddress(listener);
    const holder = fleet.holders.get(address);
    if (holder === undefined) {
      fleet.holders.set(address, listener);
      fleet.open.push(listener);
    } else {
      fleet.refused.set(listener.name, holder);
    }
  }
  return fleets;
}

export function listenerAddress({ ip, port }: Listener): string {
  return targetText({ kind: "address", ip, port });
}

/** The routes that each listener serves, whether it exists or not. */
export function routesByListener(state: State): ReadonlyMap<Name, readonly Route[]> {
  const routes = new Map<Name, Route[]>();
  for (const route of state.all("route")) {
    for (const listener of route.listeners) {
      const sharers = routes.get(listener);
      if (sharers === undefined) routes.set(listener, [route]);
      else sharers.push(route);
    }
  }
  return routes;
}
