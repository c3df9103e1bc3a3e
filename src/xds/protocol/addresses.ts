import type { Resource, Served } from "./resource.ts";
import { targetOf } from "./target.ts";
import type { TypePlan } from "./type-plan.ts";
import type { TypeReading } from "./type-state.ts";

/** A resource that opens addresses. */
type Addressed = Pick<Resource, "name" | "addresses">;

/** How resources that want each other's addresses may leave. */
export type AddressOrder<R extends Addressed> = {
  /** A resource that gives up an address comes before the one that takes it: clients apply a response in order. */
  readonly upserts: R[];
  /** One resource of each cycle: it is removed first, and comes back with the next response. */
  readonly displaced: readonly string[];
  /** By resource, another one that holds its address and should give it up, but is itself kept back. */
  readonly waiting: ReadonlyMap<string, string>;
};

/** What is known of a client's addresses. */
type Addresses = {
  /** Names of the resources that may have each address open. */
  readonly holders: ReadonlyMap<string, readonly string[]>;
  /** What should be under a name. */
  readonly target: (name: string) => Addressed | undefined;
  /** Whether a name will still change, apart from what is planned. */
  readonly isToMove: (name: string) => boolean;
};

/**
 * Puts additions in an order in which each finds its address free. A client refuses a listener whose address another
 * one still has; it removes before it adds, whatever the order. An address meant for two at once is left to its judgement.
 */
export function orderByAddress(
  state: TypeReading,
  served: Served,
  planned: Pick<TypePlan, "upserts" | "removals" | "settled">,
): AddressOrder<Resource> {
  return orderMoves(planned, {
    holders: holdersOf(state, served),
    target: (name) => targetOf(state, served, name),
    isToMove: (name) => state.held.has(name) || (state.due.has(name) && !planned.settled.has(name)),
  });
}

/** The same for any client whose addresses are known, and whatever should leave in one response. */
export function orderMoves<R extends Addressed>(
  planned: { readonly upserts: readonly R[]; readonly removals: readonly string[] },
  { holders, target, isToMove }: Addresses,
): AddressOrder<R> {
  const coming = new Map(planned.upserts.map((resource) => [resource.name, resource]));
  const leaving = new Set(planned.removals);
  /** Those that hold an address of this one and should give it up, other than by a removal in the same response. */
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
 * Refused resources that should give up an address that another one, due now, should take: they can only go together.
 */
export function refusedInTheWay(state: TypeReading, served: Served): string[] {
  const wanted = new Set<string>();
  for (const name of state.due.keys()) {
    if (state.refused.has(name) && !state.forced.has(name)) continue;
    for (const address of targetOf(state, served, name)?.addresses ?? []) wanted.add(address);
  }
  if (wanted.size === 0) return [];
  return [...state.refused.keys()].filter((name) => {
    if (state.forced.has(name)) return false;
    const target = targetOf(state, served, name);
    const left = [...held(state, served, name)].filter((address) => target?.addresses.includes(address) !== true);
    return left.some((address) => wanted.has(address));
  });
}

function holdersOf(state: TypeReading, served: Served): Map<string, string[]> {
  const holders = new Map<string, string[]>();
  const add = (name: string, address: string) => {
    const known = holders.get(address);
    if (known) known.push(name);
    else holders.set(address, [name]);
  };
  for (const name of new Set([...state.sent.keys(), ...state.unknown])) {
    for (const address of held(state, served, name)) add(name, address);
  }
  const presented = state.mayHold ? served.addressesAtType(state.acceptedVersion) : undefined;
  for (const [name, addresses] of presented ?? []) {
    if (!state.sent.has(name)) for (const address of addresses) add(name, address);
  }
  return holders;
}

/** Addresses that the client may have open under a name, once it has applied what is in flight. */
function held(state: TypeReading, served: Served, name: string): Set<string> {
  const sent = state.sent.get(name);
  const own = sent?.hash === undefined ? sent && served.addressesAt(sent.version) : sent.addresses;
  const refused = state.refused.get(name)?.items.get(name)?.resource?.addresses;
  return new Set([...(own ?? []), ...(refused ?? [])]);
}

/** Finds a resource in a cycle. Each one left waits for another one left, so following the waits leads round. */
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
