import type { Name } from "../domain/name.ts";
import { ENDPOINT_TYPE, LEDS_TYPE } from "../xds/protocol/resource-types.ts";
import type { Resource, ResourceRef } from "./resource.ts";

/** Resources that are made together. Who keeps one may share it: nothing in it ever changes. */
export interface Part {
  /** Its `partKey`, made once: a view has thousands of parts. */
  readonly key: string;
  /** By their names, of which no two are the same, also of different types. */
  readonly resources: ReadonlyMap<string, Resource>;
  readonly departed?: Departed | undefined;
}

/** Names that a proxy may still hold from before, here or elsewhere, and has to be told are gone. */
export interface Departed {
  readonly typeUrl: string;
  readonly names: ReadonlySet<string>;
  /** The version of what names the collections they were in: where it is another one, all are told again. */
  readonly namedBy: string;
}

/** All that the proxies of a view are to have, by the keys of its parts; each type and name once. */
export type Content = ReadonlyMap<string, Part>;

/** What makes one content into another. */
export interface Edits {
  readonly set: Resource[];
  readonly deleted: ResourceRef[];
}

export function partOf(resource: Resource): Part {
  const { typeUrl, name } = resource;
  return { key: partKey(typeUrl, name), resources: new Map([[name, resource]]) };
}

/** A resource is a part of its own but for members of collections: these come with the endpoints of their service. */
export function partKey(typeUrl: string, name: Name): string {
  return `${typeUrl} ${name}`;
}

/** @param service Of a member: whose it is. */
export function resourceIn(content: Content, { typeUrl, name }: ResourceRef, service: Name | undefined) {
  const isMember = typeUrl === LEDS_TYPE;
  return content
    .get(partKey(isMember ? ENDPOINT_TYPE : typeUrl, isMember ? (service ?? "") : name))
    ?.resources.get(name);
}

export function* resourcesOf(content: Content): Iterable<Resource> {
  for (const { resources } of content.values()) yield* resources.values();
}

/** Parts that are the same object cost nothing. */
export function difference(before: Content, after: Content): Edits {
  const edits: Edits = { set: [], deleted: [] };
  for (const [key, part] of after) comparePart(edits, before.get(key), part);
  for (const [key, part] of before) if (!after.has(key)) comparePart(edits, part, undefined);
  return edits;
}

function comparePart({ set, deleted }: Edits, before: Part | undefined, after: Part | undefined): void {
  if (before === after) return;
  for (const resource of after?.resources.values() ?? []) {
    if (before?.resources.get(resource.name)?.version !== resource.version) set.push(resource);
  }
  for (const resource of before?.resources.values() ?? []) {
    if (after?.resources.has(resource.name) !== true) deleted.push(resource);
  }
  if (after?.departed === undefined) return;
  const { typeUrl, names, namedBy } = after.departed;
  // Of one that was not named for a while, nobody remembers what departed.
  const told = before?.departed?.namedBy === namedBy ? before.departed.names : undefined;
  for (const name of names) if (told?.has(name) !== true) deleted.push({ typeUrl, name });
}
