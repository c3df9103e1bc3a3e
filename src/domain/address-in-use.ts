import { ControlPlaneError } from "./errors.ts";
import { collidingListener, listenerAddress, movesListener } from "./fleet-listeners.ts";
import type { Listener } from "./listener.ts";
import type { Writes } from "./state.ts";

/** @param field Path of the address in the request. */
function addressInUse(wanted: Listener, holder: Listener, field: string): ControlPlaneError {
  const address = listenerAddress(wanted);
  const message = `${address} is held by listener ${holder.name} of fleet ${holder.fleet}; choose another address, or move that one first`;
  return new ControlPlaneError({
    kind: "precondition",
    code: "ADDRESS_IN_USE",
    message: `listener ${wanted.name}: ${message}`,
    violations: [{ field, message }],
    details: { listener: wanted.name, holder: holder.name, fleet: holder.fleet, address },
  });
}

/**
 * Refuses a listener that collides with another one of its fleet. One that had its address before keeps it; where two
 * arrive at one address together, derivation decides.
 */
export function checkAddresses({ before, after, puts }: Writes<"listener">): void {
  const moved = puts.filter(({ object }) => movesListener(before.get("listener", object.name), object));
  if (moved.length === 0) return;
  const names = new Set(moved.map(({ object }) => object.name));
  const settled = [...after.all("listener")].filter(({ name }) => !names.has(name));
  for (const { object, place } of moved) {
    const holder = collidingListener(settled, object);
    if (holder !== undefined) throw addressInUse(object, holder, `${place}address`);
  }
}
