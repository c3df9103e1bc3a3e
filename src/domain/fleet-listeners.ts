import { addressText } from "./backend.ts";
import type { GrpcListener, HttpListener, Listener } from "./listener.ts";
import { byAge } from "./meta.ts";
import type { Name } from "./name.ts";
import type { State } from "./state.ts";

export interface FleetListeners {
  /** The listeners that the fleet's proxies open, by age. */
  readonly open: readonly HttpListener[];
  /** What the fleet's gRPC clients take their routes from. */
  readonly grpc: GrpcListener | undefined;
  /** For each of the others, the older listener that holds its address. */
  readonly refused: ReadonlyMap<Name, Listener>;
}

/** Shares out addresses among the listeners of each fleet. */
export function fleetListeners(state: State): ReadonlyMap<Name, FleetListeners> {
  const fleets = Map.groupBy(state.all("listener"), ({ fleet }) => fleet);
  return new Map([...fleets].map(([fleet, listeners]) => [fleet, shareAddresses(listeners)]));
}

/** Shares out addresses among the listeners of one fleet: of two that collide, the older one is opened. */
export function shareAddresses(listeners: Iterable<Listener>): FleetListeners {
  const holders = new Map<string, Listener>();
  const open: HttpListener[] = [];
  let grpc: GrpcListener | undefined;
  const refused = new Map<Name, Listener>();
  for (const listener of [...listeners].toSorted(byAge)) {
    const claims = claimsOf(listener);
    const held = claims.find((claim) => holders.has(claim));
    const holder = held === undefined ? undefined : holders.get(held);
    if (holder !== undefined) {
      refused.set(listener.name, holder);
      continue;
    }
    for (const claim of claims) holders.set(claim, listener);
    if (listener.protocol === "GRPC") grpc = listener;
    else open.push(listener);
  }
  return { open, grpc, refused };
}

/** The part of the traffic at its address that a listener takes. */
interface Share {
  readonly transport: "TCP" | "UDP";
  /** The names that clients ask for in TLS, wildcards as they are; absent: every name that no other listener has. */
  readonly serverNames?: readonly string[];
}

/** All that a listener of protocol GRPC has for an address: its clients dial names below it. */
const GRPC_ADDRESS = "xds:///";

/** The parts of an address that only one listener can have, as texts: two listeners collide where they share one. */
export function claimsOn(address: string, { transport, serverNames }: Share): readonly string[] {
  const place = `${address}/${transport}`;
  return serverNames === undefined ? [place] : serverNames.map((name) => `${place} ${name}`);
}

/** What a proxy sorts connections by before it reads a request: protocols that it tells apart can share an address. */
function claimsOf(listener: Listener): readonly string[] {
  switch (listener.protocol) {
    case "HTTP":
      return claimsOn(listenerAddress(listener), { transport: "TCP" });
    case "GRPC":
      return [GRPC_ADDRESS];
  }
}

/** One of these listeners, other than itself, that a listener collides with. */
export function collidingListener(listeners: Iterable<Listener>, wanted: Listener): Listener | undefined {
  const claims = new Set(claimsOf(wanted));
  for (const other of listeners) {
    if (other.name === wanted.name || other.fleet !== wanted.fleet) continue;
    if (claimsOf(other).some((claim) => claims.has(claim))) return other;
  }
  return undefined;
}

/** Whether a write gives a listener a part of an address, or a fleet, that it did not have before. */
export function movesListener(before: Listener | undefined, after: Listener): boolean {
  if (before?.fleet !== after.fleet) return true;
  const claims = new Set(claimsOf(before));
  return claimsOf(after).some((claim) => !claims.has(claim));
}

export function listenerAddress(listener: Listener): string {
  return listener.protocol === "GRPC" ? GRPC_ADDRESS : addressText(listener);
}
