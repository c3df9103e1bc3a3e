import { ControlPlaneError } from "../domain/errors.ts";
import type { Listener } from "../domain/listener.ts";
import type { State } from "../domain/state.ts";

/** Another listener of the same fleet that holds the same address. */
export function addressHolder(listeners: Iterable<Listener>, wanted: Listener): Listener | undefined {
  for (const other of listeners) {
    if (other.name === wanted.name || other.fleet !== wanted.fleet) continue;
    if (other.ip === wanted.ip && other.port === wanted.port) return other;
  }
  return undefined;
}

/** Whether a write gives a listener an address, or a fleet, that it had not before. */
export function movesListener(before: Listener | undefined, after: Listener): boolean {
  return before?.fleet !== after.fleet || before.ip !== after.ip || before.port !== after.port;
}

/** @param field Path of the address in the request. */
export function addressInUse(wanted: Listener, holder: Listener, field = "address"): ControlPlaneError {
  const address = wanted.ip.includes(":") ? `[${wanted.ip}]:${wanted.port}` : `${wanted.ip}:${wanted.port}`;
  const message = `${address} is held by listener ${holder.name} of fleet ${holder.fleet}; choose another address, or move that one first`;
  return new ControlPlaneError({
    kind: "precondition",
    code: "ADDRESS_IN_USE",
    message: `listener ${wanted.name}: ${message}`,
    violations: [{ field, message }],
    details: { listener: wanted.name, holder: holder.name, fleet: holder.fleet, address },
  });
}

/** Refuses a listener on an address that another one of its fleet holds. One that had its address before keeps it. */
export function checkAddressFree(state: State, after: Listener): void {
  if (!movesListener(state.get("listener", after.name), after)) return;
  const holder = addressHolder(state.all("listener"), after);
  if (holder !== undefined) throw addressInUse(after, holder);
}
