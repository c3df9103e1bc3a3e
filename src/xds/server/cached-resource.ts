import { type Message, toBinary } from "@bufbuild/protobuf";
import { contentHash } from "../content/content-version.ts";
import { formatVersion, type Resource, type ResourceKey } from "../protocol/resource.ts";
import { canonicalName } from "../protocol/resource-name.ts";
import { typeUrlOf } from "../protocol/resource-types.ts";
import { addressesOf } from "./addresses.ts";
import { referencesOf } from "./references.ts";
import { SERVED_MESSAGES } from "./served-messages.ts";
import { encodeFragments, type ResourceFragments } from "./wire.ts";

/** A resource as ready bytes. */
export type ResourceBytes = {
  readonly typeUrl: string;
  readonly name: string;
  /** The value of the `Any`; undefined says "there is nothing under this name" if the type has such a form (VHDS). */
  readonly body: Uint8Array | undefined;
  /** Replaces the content's hash; a caller that gives it is responsible for its monotonicity. */
  readonly version?: string;
  /** Replaces what the body says, which is read for the types that Envoy knows. */
  readonly references?: readonly ResourceKey[];
  /** Replaces what the body says, which is read for listeners. */
  readonly addresses?: readonly string[];
  readonly aliases?: readonly string[];
  readonly ttlMs?: number;
};

const NONE: readonly string[] = [];

/** A protobuf-es message of a type that xDS serves, bytes, or one prepared before. */
export type ResourceInput = Message | ResourceBytes | CachedResource;

/** A resource that is encoded once and shared by all groups and streams. Its body must not be changed afterwards. */
export class CachedResource implements Resource {
  readonly typeUrl: string;
  readonly name: string;
  readonly version: string;
  readonly hash: bigint;
  readonly references: readonly ResourceKey[];
  readonly aliases: readonly string[];
  readonly addresses: readonly string[];
  readonly ttlMs: number | undefined;
  readonly body: Uint8Array | undefined;
  readonly bytes: number;
  #fragments: ResourceFragments | undefined;

  constructor(input: ResourceBytes) {
    this.typeUrl = input.typeUrl;
    this.name = canonicalName(input.name);
    this.body = input.body;
    this.aliases = (input.aliases ?? []).map(canonicalName);
    this.ttlMs = input.ttlMs;
    this.hash = hashOf(this.name, input);
    this.version = input.version ?? formatVersion(this.hash);
    this.references = input.references ?? (input.body ? referencesOf(input.typeUrl, input.body) : []);
    this.addresses = input.addresses ?? (input.body ? addressesOf(input.typeUrl, input.body) : NONE);
    const names = this.name.length + this.version.length + this.aliases.reduce((sum, { length }) => sum + length, 0);
    this.bytes = (input.body?.length ?? 0) + this.typeUrl.length + names + 64;
  }

  /** This resource as the field `resources` of a delta response. */
  get deltaField(): Uint8Array {
    return this.#encoded().deltaField;
  }

  /** This resource as the field `resources` of a SotW response. */
  get sotwField(): Uint8Array {
    return this.#encoded().sotwField;
  }

  #encoded(): ResourceFragments {
    this.#fragments ??= encodeFragments(this);
    return this.#fragments;
  }
}

/**
 * Encodes a resource, so that several groups can share it.
 *
 * @throws TypeError when xDS does not serve the message's type
 */
export function prepareResource(input: ResourceInput): CachedResource {
  if (input instanceof CachedResource) return input;
  if (!("$typeName" in input)) return new CachedResource(input);
  const known = SERVED_MESSAGES.get(input.$typeName);
  if (!known) throw new TypeError(`xDS does not serve ${input.$typeName}: give its bytes, with type URL and name`);
  const name = (input as unknown as Record<string, unknown>)[known.nameField];
  return new CachedResource({
    typeUrl: typeUrlOf(input.$typeName),
    name: String(name),
    body: toBinary(known.schema, input),
  });
}

/** The hash that decides equality: of the content, and of whatever else a client is told about it. */
function hashOf(name: string, { typeUrl, body, version, aliases = [], ttlMs }: ResourceBytes): bigint {
  const content = contentHash(typeUrl, name, body ?? new Uint8Array());
  if (body && version === undefined && aliases.length === 0 && ttlMs === undefined) return content;
  const told = JSON.stringify([content.toString(16), body !== undefined, version, aliases, ttlMs]);
  return contentHash(typeUrl, name, Buffer.from(told));
}
