import { ControlPlaneError } from "../domain/errors.ts";
import { collidingListener, listenerAddress, movesListener } from "../domain/fleet-listeners.ts";
import type { Listener } from "../domain/listener.ts";
import type { State } from "../domain/state.ts";

/** @param field Path of the address in the request. */
export function addressInUse(wanted: Listener, holder: Listener, field = "address"): ControlPlaneError {
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

/** Refuses a listener that collides with another one of its fleet. One that had its address before keeps it. */
export function checkAddressFree(state: State, after: Listener): void {
  if (!movesListener(state.get("listener", after.name), after)) return;
  const holder = collidingListener(state.all("listener"), after);
  if (holder !== undefined) throw addressInUse(after, holder);
}
