import { ControlPlaneError } from "./errors.ts";
import type { Listener } from "./listener.ts";
import type { State } from "./state.ts";

/** Another listener of the same fleet that holds the same address. */
function addressHolder(listeners: Iterable<Listener>, wanted: Listener): Listener | undefined {
  for (const other of listeners) {
    if (other.name === wanted.name || other.fleet !== wanted.fleet) continue;
    if (other.ip === wanted.ip && other.port === wanted.port) return other;
  }
  return undefined;
}

/** Whether a write gives a listener an address, or a fleet, that it had not before. */
function movesListener(before: Listener | undefined, after: Listener): boolean {
  return before?.fleet !== after.fleet || before.ip !== after.ip || before.port !== after.port;
}

/** @param field Path of the address in the request. */
function addressInUse(wanted: Listener, holder: Listener, field: string): ControlPlaneError {
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

/** Listeners that are written together, and where each stands in the request. */
export interface ListenerWrites {
  readonly before: State;
  readonly after: State;
  readonly puts: readonly { readonly object: Listener; readonly place: string }[];
}

/**
 * Refuses a listener on an address that another one of its fleet holds. One that had its address before keeps it; where two
 * arrive together on one address, derivation decides.
 */
export function checkAddresses({ before, after, puts }: ListenerWrites): void {
  const moved = puts.filter(({ object }) => movesListener(before.get("listener", object.name), object));
  if (moved.length === 0) return;
  const names = new Set(moved.map(({ object }) => object.name));
  const settled = [...after.all("listener")].filter(({ name }) => !names.has(name));
  for (const { object, place } of moved) {
    const holder = addressHolder(settled, object);
    if (holder !== undefined) throw addressInUse(object, holder, `${place}address`);
  }
}
