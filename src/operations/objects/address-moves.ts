import { listenerAddress, shareAddresses } from "../../domain/fleet-listeners.ts";
import type { Name } from "../../domain/name.ts";
import type { State } from "../../domain/state.ts";
import { type AddressMove, AddressMove_Way as Way } from "../../gen/fairlead/admin/v1/apply_pb.ts";
import { orderMoves } from "../../xds/protocol/addresses.ts";

type Move = Pick<AddressMove, "address" | "from" | "to" | "way">;

/** Addresses that a change passes from one listener of a fleet to another, and how its proxies get there. */
export function addressMoves(before: State, after: State, fleet: Name): Move[] {
  const old = layoutOf(before, fleet);
  const next = layoutOf(after, fleet);
  const holders = new Map([...old].map(([name, address]) => [address, name]));
  const moved = [...next].filter(([name, address]) => old.get(name) !== address);
  const { displaced } = orderMoves(
    {
      upserts: moved.map(([name, address]) => ({ name, addresses: [address] })),
      removals: [...old.keys()].filter((name) => !next.has(name)),
    },
    {
      holders: new Map([...holders].map(([address, name]) => [address, [name]])),
      target: (name) => addressedIn(next, name),
      isToMove: () => false,
    },
  );
  return moved.flatMap(([to, address]) => {
    const from = holders.get(address);
    if (from === undefined) return [];
    const isDeleted = !next.has(from);
    const way = displaced.includes(to) ? Way.CLOSED_FIRST : isDeleted ? Way.AFTER_DELETION : Way.IN_TURN;
    return { address, from, to, way };
  });
}

/** The address of each listener that the fleet's proxies open. */
function layoutOf(state: State, fleet: Name): ReadonlyMap<Name, string> {
  const { open } = shareAddresses(state.referring("listener", "fleet", fleet));
  return new Map(open.map((listener) => [listener.name, listenerAddress(listener)]));
}

function addressedIn(layout: ReadonlyMap<Name, string>, name: Name) {
  const address = layout.get(name);
  return address === undefined ? undefined : { name, addresses: [address] };
}
