/** Names one resource: its type and its name within that type. */
export type ResourceKey = { readonly typeUrl: string; readonly name: string };

/**
 * One version of one resource, as the protocol sees it; the bytes belong to whoever made it.
 * Immutable, and shared by every stream that was sent it.
 */
export type Resource = ResourceKey & {
  /** What a delta client is told; opaque, only equality means anything. */
  readonly version: string;
  /** 128 bits over type, name and content. It, not `version`, decides whether two resources are the same. */
  readonly hash: bigint;
  /** What this resource names: a cluster its endpoint set and secrets, a route its clusters. */
  readonly references: readonly ResourceKey[];
  readonly aliases: readonly string[];
  /** Addresses that the client opens for it: of those that want the same one, a client takes one at a time. */
  readonly addresses: readonly string[];
  readonly ttlMs: number | undefined;
  /** Size on the wire. */
  readonly bytes: number;
};

/** What a reconnecting delta client says it holds; nothing but the version is known of it. */
type Presented = { readonly version: string; readonly hash: undefined; readonly references?: undefined };

export type Known = Resource | Presented;

/** True when the client, holding `known`, would gain nothing from `target`. */
export function isSame(known: Known | undefined, target: Resource): boolean {
  if (known === undefined) return false;
  return known.hash === undefined ? known.version === target.version : known.hash === target.hash;
}

/** What one group of clients is entitled to, as of now. Implemented by the cache; read-only here. */
export interface View {
  /** Looks up by name or by alias. */
  get(typeUrl: string, name: string): Resource | undefined;
  list(typeUrl: string): Iterable<Resource>;
  /** The publication that brought this resource its present content, or took it away; 0 when never seen. */
  publicationOf(typeUrl: string, name: string): number;
  /** Sum mod 2^128 of the hashes of a type, and the version a caller gave the type instead, if any. */
  typeVersion(typeUrl: string): { readonly sum: bigint; readonly given: string | undefined };
  /** True when some resource of the group refers to this one, whether or not it exists. */
  isReferenced(typeUrl: string, name: string): boolean;
  /** A resource that says "there is nothing here", for types where a removal would be taken otherwise. */
  placeholder(typeUrl: string, name: string): Resource | undefined;
  /** The addresses of a listener that is, or lately was, in the group, by its version; nothing where nobody knows. */
  addressesAt(version: string): readonly string[] | undefined;
  /** The same of all listeners together, by name, at a version of their type. */
  addressesAtType(version: string): ReadonlyMap<string, readonly string[]> | undefined;
  /** The members of a collection, by its canonical name. */
  members(typeUrl: string, collection: string): Iterable<Resource>;
  /** Names deleted from a collection, for clients that reconnect without versions ("xdstp" collections). */
  tombstones(typeUrl: string, collection: string): Iterable<string>;
  /** The collections that resources of the group name, each with one that does. */
  namedCollections(): Iterable<{ readonly collection: ResourceKey; readonly by: ResourceKey }>;
  /**
   * True when the group has resources that could name this collection, and none does: clients are on their way to another
   * one, and what they are told of this one would only take their members from them too early.
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

/** Takes a hash out of an order-free sum. */
export function minusHash(sum: bigint, hash: bigint): bigint {
  return (sum - hash + MODULUS) % MODULUS;
}
