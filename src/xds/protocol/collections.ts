import type { View } from "./resource.ts";
import { collectionOf } from "./resource-name.ts";
import type { TypeState, TypeStates } from "./type-state.ts";

/** Collections that what a client was sent names, and those that it asks for. */
export type ClientCollections = { readonly named: readonly string[]; readonly asked: readonly string[] };

export function collectionsOf(states: TypeStates, view: View | undefined): ClientCollections {
  const named: string[] = [];
  for (const { collection, by } of view?.namedCollections() ?? []) {
    if (states.get(by.typeUrl)?.sent.has(by.name)) named.push(collection.name);
  }
  return { named, asked: [...states.values()].flatMap(({ subscription }) => [...subscription.globs.keys()]) };
}

/** Collections reconnect without versions, so what was deleted must be named (xds R19). */
export function markTombstones(state: TypeState, view: View): void {
  if (!state.type.collections) return;
  const { typeUrl } = state.type;
  for (const collection of state.subscription.globs.keys()) {
    for (const name of view.tombstones(typeUrl, collection)) {
      if (state.sent.has(name)) continue;
      state.unknown.add(name);
      state.mark(name, view.publicationOf(typeUrl, name));
    }
  }
}

/**
 * A member has left its collection. Returns whether the client is to be told: what this stream was not sent, it may hold
 * from an earlier one (xds R19); what belongs to a collection that nothing names any more is left alone.
 */
export function hasLeft(state: TypeState, view: View, name: string): boolean {
  if (view.isRetired(state.type.typeUrl, collectionOf(name) ?? name)) return false;
  if (!state.sent.has(name)) state.unknown.add(name);
  return true;
}
