import { collectionOf, parseGlob } from "../protocol/resource-name.ts";
import type { CachedResource } from "./cached-resource.ts";

/** Most names remembered after their deletion, per collection. */
const MAX_TOMBSTONES = 10_000;

type Collection = {
  readonly members: Map<string, CachedResource>;
  /** Deleted names, the oldest first, each with the publication that deleted it. */
  readonly tombstones: Map<string, number>;
};

const NOTHING: Collection = { members: new Map(), tombstones: new Map() };

/** The resources of one type by their collection (`xdstp://…/*`), and what was deleted from each collection. */
export class Collections {
  readonly #known = new Map<string, Collection>();

  members(collection: string): Iterable<CachedResource> {
    return this.#of(collection).members.values();
  }

  tombstones(collection: string): Iterable<string> {
    return this.#of(collection).tombstones.keys();
  }

  /** The publication that deleted a member. */
  deletedAt(name: string): number | undefined {
    return this.#of(collectionOf(name) ?? "").tombstones.get(name);
  }

  add(resource: CachedResource): void {
    const collection = collectionOf(resource.name);
    if (collection === undefined) return;
    const known = this.#make(collection);
    known.members.set(resource.name, resource);
    known.tombstones.delete(resource.name);
  }

  remove(name: string): void {
    this.#of(collectionOf(name) ?? "").members.delete(name);
  }

  /**
   * Remembers a deletion, even of what was never a member here: clients may have it from elsewhere (xds R19). Returns
   * whether the deletion is news.
   */
  bury(name: string, publication: number): boolean {
    const collection = collectionOf(name);
    if (collection === undefined || parseGlob(name)) return false;
    if (this.#of(collection).tombstones.has(name)) return false;
    const known = this.#make(collection);
    known.tombstones.set(name, publication);
    const oldest = known.tombstones.size > MAX_TOMBSTONES ? known.tombstones.keys().next().value : undefined;
    if (oldest !== undefined) known.tombstones.delete(oldest);
    return true;
  }

  /** Forgets the deletions of collections that nobody will ask for, and collections with nothing left in them. */
  forget(isRetired: (collection: string) => boolean): void {
    for (const [collection, { members, tombstones }] of this.#known) {
      if (tombstones.size > 0 && isRetired(collection)) tombstones.clear();
      if (members.size === 0 && tombstones.size === 0) this.#known.delete(collection);
    }
  }

  #of(collection: string): Collection {
    return this.#known.get(collection) ?? NOTHING;
  }

  #make(collection: string): Collection {
    const known = this.#known.get(collection) ?? { members: new Map(), tombstones: new Map() };
    this.#known.set(collection, known);
    return known;
  }
}
