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

/** Shares out addresses among the listeners of each fleet: of two that collide, the older one is opened. */
export function fleetListeners(state: State): ReadonlyMap<Name, FleetListeners> {
  const fleets = new Map<Name, Sharing>();
  for (const listener of [...state.all("listener")].toSorted(byAge)) {
    const fleet: Sharing = fleets.get(listener.fleet) ?? { open: [], refused: new Map(), holders: new Map() };
    fleets.set(listener.fleet, fleet);
    const claims = claimsOf(listener);
    const holder = holderOf(claims, fleet.holders);
    if (holder === undefined) {
      for (const claim of claims) fleet.holders.set(claim, listener);
      fleet.open.push(listener);
    } else {
      fleet.refused.set(listener.name, holder);
    }
  }
  return fleets;
}

function holderOf(claims: readonly string[], holders: ReadonlyMap<string, Listener>): Listener | undefined {
  for (const claim of claims) {
    const holder = holders.get(claim);
    if (holder !== undefined) return holder;
  }
  return undefined;
}

/** What a listener takes of the traffic at its address. */
interface Share {
  readonly transport: "TCP" | "UDP";
  /** The names that clients ask for by TLS, wildcards as they are; absent: what nobody else is named for. */
  readonly serverNames?: readonly string[];
}

/** What a proxy sorts connections by before it reads a request, so that the protocols which it tells apart share an address. */
function shareOf(listener: Listener): Share {
  switch (listener.protocol) {
    case "HTTP":
      return { transport: "TCP" };
  }
}

/** What of an address only one listener can have, as texts: two listeners collide where they have one of these in common. */
export function claimsOn(address: string, { transport, serverNames }: Share): readonly string[] {
  const place = `${address}/${transport}`;
  return serverNames === undefined ? [place] : serverNames.map((name) => `${place} ${name}`);
}

function claimsOf(listener: Listener): readonly string[] {
  return claimsOn(listenerAddress(listener), shareOf(listener));
}

/** Another one of these listeners that a listener collides with. */
export function collidingListener(listeners: Iterable<Listener>, wanted: Listener): Listener | undefined {
  const claims = new Set(claimsOf(wanted));
  for (const other of listeners) {
    if (other.name === wanted.name || other.fleet !== wanted.fleet || other.port !== wanted.port) continue;
    if (claimsOf(other).some((claim) => claims.has(claim))) return other;
  }
  return undefined;
}

/** Whether a write gives a listener anything of an address, or a fleet, that it had not before. */
export function movesListener(before: Listener | undefined, after: Listener): boolean {
  if (before?.fleet !== after.fleet) return true;
  const claims = new Set(claimsOf(before));
  return claimsOf(after).some((claim) => !claims.has(claim));
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
