import { type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { Kind, Name } from "../domain/name.ts";
import { derivedVersion } from "../xds/content/content-version.ts";
import type { ResourceKey } from "../xds/protocol/resource.ts";
import { typeUrlOf } from "../xds/protocol/resource-types.ts";

/** A stored object that a resource comes from, so that a refusal can be shown on it. */
export interface ObjectRef {
  readonly kind: Kind;
  readonly name: Name;
}

/** What proxies get: bytes that are equal on every replica for equal content (law 7). */
export interface Resource extends ResourceKey {
  readonly body: Uint8Array;
  /** The version of the content: equal if and only if type, name and body are. */
  readonly version: string;
  /** Resources of the same fleet that this one needs. */
  readonly references: readonly ResourceKey[];
  readonly objects: readonly ObjectRef[];
}

export function resourceOfBytes(
  ref: ResourceKey,
  body: Uint8Array,
  related: Pick<Resource, "references" | "objects">,
): Resource {
  return { ...ref, body, version: derivedVersion(ref.typeUrl, ref.name, body), ...related };
}

/**
 * A resource from a message. Fields are encoded in the order of their numbers and maps in the order they were filled in, so
 * whoever builds the message must fill maps in sorted order.
 */
export function resourceOf<Desc extends DescMessage>(
  desc: Desc,
  message: MessageShape<Desc>,
  { name, ...related }: { name: string } & Pick<Resource, "references" | "objects">,
): Resource {
  return resourceOfBytes({ typeUrl: typeUrlOf(desc.typeName), name }, toBinary(desc, message), related);
}
