import { create, toBinary } from "@bufbuild/protobuf";
import { ClusterLoadAssignmentSchema } from "../../gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { minusHash, plusHash, type Resource, type ResourceKey, type Served } from "../protocol/resource.ts";
import { canonicalName, parseGlob } from "../protocol/resource-name.ts";
import { ENDPOINT_TYPE, LEDS_TYPE, LISTENER_TYPE } from "../protocol/resource-types.ts";
import { CachedResource, prepareResource, type ResourceInput } from "./cached-resource.ts";
import { Collections } from "./collections.ts";
import { PastAddresses } from "./past-addresses.ts";

/** Collects the changes of one atomic update. Later calls win over earlier ones. */
export interface Transaction {
  set(resource: ResourceInput): void;
  /** A member of a LEDS collection is remembered as deleted even if it was not there: clients may have it from elsewhere. */
  delete(typeUrl: string, name: string): void;
  /** Makes these the only resources of their type in the group. */
  replaceAll(typeUrl: string, resources: Iterable<ResourceInput>): void;
  /** Gives a type the caller's version instead of the sum of hashes; undefined restores the sum. SotW only. */
  setTypeVersion(typeUrl: string, version: string | undefined): void;
}

/** Names that changed in one update, by type. */
export type Changes = ReadonlyMap<string, ReadonlySet<string>>;

type ChangeListener = (group: string, changes: Changes, publication: number) => void;

/**
 * What each group of clients is served. Updates are atomic and synchronous, and wait for no stream.
 *
 * A group exists from its first update, even an empty one: before that, its clients get silence; afterwards, what is
 * not in the group does not exist.
 */
export class ResourceCache {
  readonly #groups = new Map<string, Group>();
  readonly #listeners = new Set<ChangeListener>();
  #publication = 0;

  /** Counts the updates that changed something. */
  get publication(): number {
    return this.#publication;
  }

  /** Applies all of `change`, or none of it if it throws. Returns the publication number, the same if nothing changed. */
  update(group: string, change: (transaction: Transaction) => void): number {
    const state = this.#groups.get(group) ?? new Group();
    const staged = new Staged(state);
    change(staged);
    const created = !this.#groups.has(group);
    this.#groups.set(group, state);
    const changes = state.apply(staged, this.#publication + 1);
    if (changes.size > 0) this.#publication++;
    if (changes.size > 0 || created)
      for (const listener of this.#listeners) listener(group, changes, this.#publication);
    return this.#publication;
  }

  /** Forgets a group. Its streams become silent; nothing is deleted at clients. */
  removeGroup(group: string): void {
    if (!this.#groups.delete(group)) return;
    this.#publication++;
    for (const listener of this.#listeners) listener(group, new Map(), this.#publication);
  }

  groups(): string[] {
    return [...this.#groups.keys()];
  }

  get(group: string, typeUrl: string, name: string): CachedResource | undefined {
    return this.#groups.get(group)?.get(typeUrl, canonicalName(name));
  }

  list(group: string, typeUrl: string): CachedResource[] {
    return [...(this.#groups.get(group)?.list(typeUrl) ?? [])];
  }

  /** What a group is served, live, for streams; undefined while the group does not exist. */
  served(group: string): Served | undefined {
    return this.#groups.get(group);
  }

  /** Calls `listener` synchronously after each update. Returns a function that unsubscribes it. */
  onChange(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

type TypeGroup = {
  readonly entries: Map<string, { readonly resource: CachedResource; readonly publication: number }>;
  readonly byAlias: Map<string, string>;
  readonly collections: Collections;
  sum: bigint;
  given: string | undefined;
};

class Staged implements Transaction {
  readonly changes = new Map<string, Map<string, CachedResource | undefined>>();
  readonly typeVersions = new Map<string, string | undefined>();
  readonly #group: Group;

  constructor(group: Group) {
    this.#group = group;
  }

  set(input: ResourceInput): void {
    const resource = prepareResource(input);
    this.#of(resource.typeUrl).set(resource.name, resource);
  }

  delete(typeUrl: string, name: string): void {
    this.#of(typeUrl).set(canonicalName(name), undefined);
  }

  replaceAll(typeUrl: string, resources: Iterable<ResourceInput>): void {
    const changes = this.#of(typeUrl);
    for (const name of changes.keys()) changes.set(name, undefined);
    for (const { name } of this.#group.list(typeUrl)) changes.set(name, undefined);
    for (const input of resources) this.set(input);
  }

  setTypeVersion(typeUrl: string, version: string | undefined): void {
    this.typeVersions.set(typeUrl, version);
  }

  #of(typeUrl: string): Map<string, CachedResource | undefined> {
    const known = this.changes.get(typeUrl) ?? new Map<string, CachedResource | undefined>();
    this.changes.set(typeUrl, known);
    return known;
  }
}

class Group implements Served {
  readonly #types = new Map<string, TypeGroup>();
  /** How many resources refer to a key. */
  readonly #referenced = new Map<string, number>();
  readonly #addresses = new PastAddresses();
  /** Named collections by key, each with the last resource that named it. */
  readonly #named = new Map<string, { readonly collection: ResourceKey; readonly by: ResourceKey }>();

  apply({ changes, typeVersions }: Staged, publication: number): Changes {
    const changed = new Map<string, Set<string>>();
    for (const [typeUrl, staged] of changes) {
      const names = new Set<string>();
      for (const [name, resource] of staged) if (this.#replace(typeUrl, name, resource, publication)) names.add(name);
      if (names.size > 0) changed.set(typeUrl, names);
    }
    for (const [typeUrl, version] of typeVersions) this.#type(typeUrl).given = version;
    if (changed.has(LISTENER_TYPE)) {
      this.#addresses.keep([...this.list(LISTENER_TYPE)], this.typeVersion(LISTENER_TYPE));
    }
    if (changed.has(ENDPOINT_TYPE) || changed.has(LEDS_TYPE)) {
      this.#types.get(LEDS_TYPE)?.collections.forget((collection) => this.isRetired(LEDS_TYPE, collection));
    }
    return changed;
  }

  get(typeUrl: string, name: string): CachedResource | undefined {
    const type = this.#types.get(typeUrl);
    if (!type) return undefined;
    const found = type.entries.get(name) ?? type.entries.get(type.byAlias.get(name) ?? "");
    return found?.resource;
  }

  *list(typeUrl: string): Generator<CachedResource> {
    for (const { resource } of this.#types.get(typeUrl)?.entries.values() ?? []) yield resource;
  }

  publicationOf(typeUrl: string, name: string): number {
    const type = this.#types.get(typeUrl);
    return type?.entries.get(name)?.publication ?? type?.collections.deletedAt(name) ?? 0;
  }

  typeVersion(typeUrl: string): { sum: bigint; given: string | undefined } {
    const type = this.#types.get(typeUrl);
    return { sum: type?.sum ?? 0n, given: type?.given };
  }

  isReferenced(typeUrl: string, name: string): boolean {
    return this.#referenced.has(keyOf({ typeUrl, name }));
  }

  placeholder(typeUrl: string, name: string): Resource | undefined {
    if (typeUrl !== ENDPOINT_TYPE) return new CachedResource({ typeUrl, name, body: undefined, aliases: [name] });
    // With a name but no endpoints, a set ends warming where a removal would empty a live cluster (xds R8).
    const body = toBinary(ClusterLoadAssignmentSchema, create(ClusterLoadAssignmentSchema, { clusterName: name }));
    return new CachedResource({ typeUrl, name, body });
  }

  addressesAt(version: string): readonly string[] | undefined {
    return this.#addresses.ofResource(version);
  }

  addressesAtType(version: string): ReadonlyMap<string, readonly string[]> | undefined {
    return this.#addresses.ofType(version);
  }

  members(typeUrl: string, collection: string): Iterable<CachedResource> {
    return this.#types.get(typeUrl)?.collections.members(collection) ?? [];
  }

  tombstones(typeUrl: string, collection: string): Iterable<string> {
    return this.#types.get(typeUrl)?.collections.tombstones(collection) ?? [];
  }

  namedCollections(): Iterable<{ collection: ResourceKey; by: ResourceKey }> {
    return this.#named.values();
  }

  isRetired(typeUrl: string, collection: string): boolean {
    const couldBeNamed = typeUrl === LEDS_TYPE && (this.#types.get(ENDPOINT_TYPE)?.entries.size ?? 0) > 0;
    return couldBeNamed && !this.isReferenced(typeUrl, collection);
  }

  #replace(typeUrl: string, name: string, next: CachedResource | undefined, publication: number): boolean {
    const type = this.#type(typeUrl);
    const before = type.entries.get(name)?.resource;
    if (!before && !next) return typeUrl === LEDS_TYPE && type.collections.bury(name, publication);
    if (before?.hash === next?.hash) return false;
    if (before) this.#unlink(type, before);
    if (next) this.#link(type, next, publication);
    else if (typeUrl === LEDS_TYPE) type.collections.bury(name, publication);
    return true;
  }

  #link(type: TypeGroup, resource: CachedResource, publication: number): void {
    type.entries.set(resource.name, { resource, publication });
    type.collections.add(resource);
    type.sum = plusHash(type.sum, resource.hash);
    for (const alias of resource.aliases) type.byAlias.set(alias, resource.name);
    for (const reference of resource.references) {
      const key = keyOf(reference);
      this.#referenced.set(key, (this.#referenced.get(key) ?? 0) + 1);
      if (parseGlob(reference.name)) this.#named.set(key, { collection: reference, by: resource });
    }
  }

  #unlink(type: TypeGroup, resource: CachedResource): void {
    type.entries.delete(resource.name);
    type.collections.remove(resource.name);
    type.sum = minusHash(type.sum, resource.hash);
    for (const alias of resource.aliases) if (type.byAlias.get(alias) === resource.name) type.byAlias.delete(alias);
    for (const reference of resource.references) {
      const key = keyOf(reference);
      const count = (this.#referenced.get(key) ?? 1) - 1;
      if (count > 0) this.#referenced.set(key, count);
      else {
        this.#referenced.delete(key);
        this.#named.delete(key);
      }
    }
  }

  #type(typeUrl: string): TypeGroup {
    let type = this.#types.get(typeUrl);
    if (!type) {
      type = { entries: new Map(), byAlias: new Map(), collections: new Collections(), sum: 0n, given: undefined };
      this.#types.set(typeUrl, type);
    }
    return type;
  }
}

function keyOf({ typeUrl, name }: ResourceKey): string {
  return `${typeUrl} ${name}`;
}
