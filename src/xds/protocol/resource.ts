/** Names one resource: its type and its name within that type. */
export type ResourceKey = { readonly typeUrl: string; readonly name: string };

/**
 * One version of one resource, as the protocol sees it; its creator owns the bytes.
 * Immutable, and shared by every stream that was sent it.
 */
export type Resource = ResourceKey & {
  /** The version that a delta client is told; it is opaque, and only equality means anything. */
  readonly version: string;
  /** 128 bits over type, name and content. It, not `version`, decides whether two resources are the same. */
  readonly hash: bigint;
  /** What this resource names: a cluster its endpoint set and secrets, a route its clusters. */
  readonly references: readonly ResourceKey[];
  readonly aliases: readonly string[];
  /** Addresses that the client opens for it; a client takes only one resource for each address. */
  readonly addresses: readonly string[];
  readonly ttlMs: number | undefined;
  /** Size on the wire. */
  readonly bytes: number;
};

/** What a reconnecting delta client says it holds; only its version is known. */
type Presented = { readonly version: string; readonly hash: undefined; readonly references?: undefined };

export type Known = Resource | Presented;

/** True when the client, holding `known`, would gain nothing from `target`. */
export function isSame(known: Known | undefined, target: Resource): boolean {
  if (known === undefined) return false;
  return known.hash === undefined ? known.version === target.version : known.hash === target.hash;
}

/** What one group of clients is served now. Implemented by the cache; read-only here. */
export interface Served {
  /** Looks up by name or by alias. */
  get(typeUrl: string, name: string): Resource | undefined;
  list(typeUrl: string): Iterable<Resource>;
  /** The publication that gave this resource its present content, or removed it; 0 when never seen. */
  publicationOf(typeUrl: string, name: string): number;
  /** The sum mod 2^128 of a type's hashes, and the version that a caller gave the type instead, if any. */
  typeVersion(typeUrl: string): { readonly sum: bigint; readonly given: string | undefined };
  /** True when some resource of the group refers to this one, whether or not it exists. */
  isReferenced(typeUrl: string, name: string): boolean;
  /** A resource that says "there is nothing here", for types where a removal would be taken to mean something else. */
  placeholder(typeUrl: string, name: string): Resource | undefined;
  /** The addresses of a listener that is, or recently was, in the group, by its version; undefined if not known. */
  addressesAt(version: string): readonly string[] | undefined;
  /** The same for all listeners together, by name, at a version of their type. */
  addressesAtType(version: string): ReadonlyMap<string, readonly string[]> | undefined;
  /** The members of a collection, by its canonical name. */
  members(typeUrl: string, collection: string): Iterable<Resource>;
  /** Names deleted from a collection, for clients that reconnect without versions ("xdstp" collections). */
  tombstones(typeUrl: string, collection: string): Iterable<string>;
  /** The collections that resources of the group name, each with one resource that names it. */
  namedCollections(): Iterable<{ readonly collection: ResourceKey; readonly by: ResourceKey }>;
  /**
   * True when the group has resources that could name this collection, but none does: clients are moving to another one,
   * and anything they are told of this one would only take its members from them too early.
   */
  isRetired(typeUrl: string, collection: string): boolean;
}

/** A hash, or a sum of hashes, as a version; the prefix names the algorithm. */
export function formatVersion(hash: bigint): string {
  return `s${hash.toString(16).padStart(32, "0")}`;
}

const MODULUS = 1n << 128n;

/** Adds a hash to an order-free sum. */
export function plusHash(sum: bigint, hash: bigint): bigint {
  return (sum + hash) % MODULUS;
}

/** Subtracts a hash from an order-free sum. */
export function minusHash(sum: bigint, hash: bigint): bigint {
  return (sum - hash + MODULUS) % MODULUS;
}
