import { targetText } from "./backend.ts";
import type { Listener } from "./listener.ts";
import { byAge } from "./meta.ts";
import type { Name } from "./name.ts";
import type { State } from "./state.ts";

export interface FleetListeners {
  /** Those that the fleet's proxies open, by age. */
  readonly open: readonly Listener[];
  /** For each of the others, the older listener that holds its address. */
  readonly refused: ReadonlyMap<Name, Listener>;
}

/** Shares out addresses among the listeners of each fleet. */
export function fleetListeners(state: State): ReadonlyMap<Name, FleetListeners> {
  const fleets = Map.groupBy(state.all("listener"), ({ fleet }) => fleet);
  return new Map([...fleets].map(([fleet, listeners]) => [fleet, shareAddresses(listeners)]));
}

/** Shares out addresses among the listeners of one fleet: of two that want the same one, the older gets it. */
export function shareAddresses(listeners: Iterable<Listener>): FleetListeners {
  const holders = new Map<string, Listener>();
  const refused = new Map<Name, Listener>();
  for (const listener of [...listeners].toSorted(byAge)) {
    const address = listenerAddress(listener);
    const holder = holders.get(address);
    if (holder === undefined) holders.set(address, listener);
    else refused.set(listener.name, holder);
  }
  return { open: [...holders.values()], refused };
}

export function listenerAddress({ ip, port }: Listener): string {
  return targetText({ kind: "address", ip, port });
}
