import { isSame, type Known, type Resource } from "./resource.ts";
import type { TypeReading } from "./type-state.ts";

/** Whether the client may hold something under a name, from here or from before; with collections, a client does not say. */
export function mayHoldUnder({ type, mayHold, sent, unknown }: TypeReading, name: string): boolean {
  return mayHold || type.collections || sent.has(name) || unknown.has(name);
}

/** True when some version of this resource is surely in use at the client. */
export function isLive({ sent, proven, flights }: TypeReading, name: string): boolean {
  if (!sent.has(name)) return false;
  if (proven.has(name)) return true;
  const items = flights.flatMap((flight) => flight.items.get(name) ?? []);
  // A removal in flight with a return behind it leaves a gap in which the client has nothing.
  return items.every(({ resource, before }) => resource !== undefined && before !== undefined);
}

/** True when the client surely runs exactly this content. */
export function isSettledAt(state: TypeReading, name: string, target: Resource | undefined): boolean {
  if (state.unknown.has(name) || state.flights.some((flight) => flight.items.has(name))) return false;
  const known = state.sent.get(name);
  return target ? isSame(known, target) : known === undefined;
}

/** What the client may be running under this name: the last one sent, those before it in flight, and the refused one. */
export function* possible({ sent, flights, refused }: TypeReading, name: string): Generator<Known> {
  const last = sent.get(name);
  if (last) yield last;
  for (const flight of flights) {
    const before = flight.items.get(name)?.before;
    if (before) yield before;
  }
  const resource = refused.get(name)?.items.get(name)?.resource;
  if (resource) yield resource;
}

/** Names under which the client may be running something. */
export function possibleNames({ sent, unknown, flights }: TypeReading): Set<string> {
  const names = new Set([...sent.keys(), ...unknown]);
  for (const flight of flights) for (const name of flight.items.keys()) names.add(name);
  return names;
}
