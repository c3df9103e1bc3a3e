import type { Name } from "../domain/name.ts";
import type { ResourceKey } from "../xds/protocol/resource.ts";
import { ENDPOINT_TYPE, LEDS_TYPE } from "../xds/protocol/resource-types.ts";
import type { Resource } from "./resource.ts";

/** Resources that are made together. Whoever keeps one may share it: nothing in it ever changes. */
export interface Part {
  /** Its `partKey`, made once: a view has thousands of parts. */
  readonly key: string;
  /** By name; no two have the same name, even if their types differ. */
  readonly resources: ReadonlyMap<string, Resource>;
  readonly departed?: Departed | undefined;
}

/** Names that a proxy may still hold from before, here or elsewhere, and must be told are removed. */
export interface Departed {
  readonly typeUrl: string;
  readonly names: ReadonlySet<string>;
  /** The version of the resource that names the collections they were in: if it differs, all are sent again. */
  readonly namedBy: string;
}

/** All that the proxies of a view should have, by the keys of its parts; each type and name once. */
export type Content = ReadonlyMap<string, Part>;

/** What makes one content into another. */
export interface Edits {
  readonly set: Resource[];
  readonly deleted: ResourceKey[];
}

export function partOf(resource: Resource): Part {
  const { typeUrl, name } = resource;
  return { key: partKey(typeUrl, name), resources: new Map([[name, resource]]) };
}

/** A resource is a part of its own, except members of collections: these come with the endpoints of their service. */
export function partKey(typeUrl: string, name: Name): string {
  return `${typeUrl} ${name}`;
}

/** @param service For a member: the service that it belongs to. */
export function resourceIn(content: Content, { typeUrl, name }: ResourceKey, service: Name | undefined) {
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
  // For collections that were not named for a while, nobody remembers what departed.
  const told = before?.departed?.namedBy === namedBy ? before.departed.names : undefined;
  for (const name of names) if (told?.has(name) !== true) deleted.push({ typeUrl, name });
}
