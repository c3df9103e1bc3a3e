import type { Resource, View } from "./resource.ts";
import { targetOf } from "./target.ts";
import type { TypeState } from "./type-state.ts";

/** What opens addresses. */
type Addressed = Pick<Resource, "name" | "addresses">;

/** How resources that want addresses of each other may leave. */
export type AddressOrder<R extends Addressed> = {
  /** Whoever leaves an address stands before whoever takes it: clients apply a response in its order. */
  readonly upserts: R[];
  /** One of each cycle: it is removed first, and comes back with the response behind. */
  readonly displaced: readonly string[];
  /** Those whose address is held by another one that is to leave it, and is kept back itself: it by them. */
  readonly waiting: ReadonlyMap<string, string>;
};

/** What is to leave in one response. */
type Planned<R extends Addressed> = { readonly upserts: readonly R[]; readonly removals: readonly string[] };

/** What is known of the addresses of a client. */
type Addresses = {
  /** Who may have each address open. */
  readonly holders: ReadonlyMap<string, readonly string[]>;
  /** What is meant to be under a name. */
  readonly target: (name: string) => Addressed | undefined;
  /** Whether something else than what is planned is to come of a name. */
  readonly isToMove: (name: string) => boolean;
};

/**
 * Puts additions in an order in which each finds its address free. A client refuses a listener whose address another
 * one still has; it removes before it adds, whatever the order. What two are meant to have at once is left to its verdict.
 */
export function orderByAddress(state: TypeState, view: View, planned: Planned<Resource>): AddressOrder<Resource> {
  return orderMoves(planned, {
    holders: holdersOf(state, view),
    target: (name) => targetOf(state, view, name),
    isToMove: (name) => state.due.has(name) || state.held.has(name),
  });
}

/** The same, of any client of which the addresses are known. */
export function orderMoves<R extends Addressed>(
  planned: Planned<R>,
  { holders, target, isToMove }: Addresses,
): AddressOrder<R> {
  const coming = new Map(planned.upserts.map((resource) => [resource.name, resource]));
  const leaving = new Set(planned.removals);
  /** Those that hold an address of this one and are to leave it, by any way but a removal that goes along. */
  const before = ({ name, addresses }: Addressed): string[] =>
    addresses
      .flatMap((address) => (holders.get(address) ?? []).map((holder) => ({ address, holder })))
      .filter(({ address, holder }) => {
        if (holder === name || leaving.has(holder)) return false;
        return (coming.get(holder) ?? target(holder))?.addresses.includes(address) !== true;
      })
      .map(({ holder }) => holder);

  const waiting = new Map<string, string>();
  for (let found = true; found; ) {
    found = false;
    for (const resource of coming.values()) {
      const on = before(resource).find((holder) => !coming.has(holder) && isToMove(holder));
      if (on === undefined) continue;
      waiting.set(resource.name, on);
      coming.delete(resource.name);
      found = true;
    }
  }

  const upserts: R[] = [];
  const displaced: string[] = [];
  while (coming.size > 0) {
    const free = coming.values().find((resource) => !before(resource).some((holder) => coming.has(holder)));
    if (free) {
      upserts.push(free);
      coming.delete(free.name);
      continue;
    }
    const name = inCycle(coming, before);
    displaced.push(name);
    coming.delete(name);
    leaving.add(name);
  }
  return { upserts, displaced, waiting };
}

/**
 * Refused resources that were to leave an address which another one, due now, is to take: these can only go together.
 */
export function refusedInTheWay(state: TypeState, view: View): string[] {
  const wanted = new Set<string>();
  for (const name of state.due.keys()) {
    if (state.refused.has(name) && !state.forced.has(name)) continue;
    for (const address of targetOf(state, view, name)?.addresses ?? []) wanted.add(address);
  }
  if (wanted.size === 0) return [];
  return [...state.refused.keys()].filter((name) => {
    if (state.forced.has(name)) return false;
    const target = targetOf(state, view, name);
    const left = [...held(state, view, name)].filter((address) => target?.addresses.includes(address) !== true);
    return left.some((address) => wanted.has(address));
  });
}

function holdersOf(state: TypeState, view: View): Map<string, string[]> {
  const holders = new Map<string, string[]>();
  const add = (name: string, address: string) => {
    const known = holders.get(address);
    if (known) known.push(name);
    else holders.set(address, [name]);
  };
  for (const name of new Set([...state.sent.keys(), ...state.unknown])) {
    for (const address of held(state, view, name)) add(name, address);
  }
  const presented = state.mayHold ? view.addressesAtType(state.acceptedVersion) : undefined;
  for (const [name, addresses] of presented ?? []) {
    if (!state.sent.has(name)) for (const address of addresses) add(name, address);
  }
  return holders;
}

/** Addresses that the client may have open under a name, once it has applied what is in flight. */
function held(state: TypeState, view: View, name: string): Set<string> {
  const sent = state.sent.get(name);
  const own = sent?.hash === undefined ? sent && view.addressesAt(sent.version) : sent.addresses;
  const refused = state.refused.get(name)?.items.get(name)?.resource?.addresses;
  return new Set([...(own ?? []), ...(refused ?? [])]);
}

/** Everything left waits for something that is left: whoever follows that long enough goes round. */
function inCycle(coming: ReadonlyMap<string, Addressed>, before: (resource: Addressed) => readonly string[]): string {
  const seen = new Set<string>();
  let [name = ""] = coming.keys();
  while (!seen.has(name)) {
    seen.add(name);
    const resource = coming.get(name);
    name = (resource && before(resource).find((holder) => coming.has(holder))) ?? name;
  }
  return name;
}
