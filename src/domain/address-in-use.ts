import { ControlPlaneError } from "./errors.ts";
import { collidingListener, listenerAddress, movesListener } from "./fleet-listeners.ts";
import type { Writes } from "./state.ts";

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
    if (holder === undefined) continue;
    const address = listenerAddress(object);
    const held = `${address} is held by listener ${holder.name} of fleet ${holder.fleet}`;
    const message =
      object.protocol === "GRPC"
        ? `${held}; a fleet has one listener of protocol GRPC: attach the routes to that one`
        : `${held}; choose another address, or move that one first`;
    throw new ControlPlaneError({
      kind: "precondition",
      code: "ADDRESS_IN_USE",
      message: `listener ${object.name}: ${message}`,
      violations: [{ field: `${place}${object.protocol === "GRPC" ? "protocol" : "address"}`, message }],
      details: { listener: object.name, holder: holder.name, fleet: holder.fleet, address },
    });
  }
}
