import type { Served } from "./resource.ts";
import type { TypeReading, TypeReadings } from "./type-state.ts";

/** The collections named in what a client was sent, and those that it asks for. */
export type ClientCollections = { readonly named: readonly string[]; readonly asked: readonly string[] };

export function collectionsOf(states: TypeReadings, served: Served | undefined): ClientCollections {
  const named: string[] = [];
  for (const { collection, by } of served?.namedCollections() ?? []) {
    if (states.get(by.typeUrl)?.sent.has(by.name)) named.push(collection.name);
  }
  return { named, asked: [...states.values()].flatMap(({ subscription }) => [...subscription.globs.keys()]) };
}

/** Collections reconnect without versions, so what was deleted must be named (xds R19). */
export function tombstonesFor({ type, subscription, sent }: TypeReading, served: Served): readonly string[] {
  return [...subscription.globs.keys()].flatMap((collection) =>
    [...served.tombstones(type.typeUrl, collection)].filter((name) => !sent.has(name)),
  );
}
