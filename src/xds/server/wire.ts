import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Send } from "../protocol/events.ts";
import type { Resource } from "../protocol/resource.ts";
import { typeUrlOf } from "../protocol/resource-types.ts";

/**
 * `DiscoveryResponse` or `DeltaDiscoveryResponse` without its nonce, around bytes that were encoded when the resources
 * were made.
 */
export function responseParts(
  send: Send,
  variant: "sotw" | "delta",
  identifier: string,
  resources: readonly Uint8Array[],
): Uint8Array[] {
  const isDelta = variant === "delta";
  const head = new BinaryWriter();
  string(head, 1, isDelta ? identifier : send.version);
  const tail = new BinaryWriter();
  string(tail, 4, send.typeUrl);
  if (isDelta) for (const name of send.removed) tail.tag(6, WireType.LengthDelimited).string(name);
  if (identifier !== "") {
    tail.tag(isDelta ? 7 : 6, WireType.LengthDelimited).fork();
    string(tail, 1, identifier);
    tail.join();
  }
  return [head.finish(), ...resources, tail.finish()];
}

/** The nonce of a response, the same field in both variants. Since fields may come in any order, it goes last. */
export function encodeNonce(nonce: string): Buffer {
  const size = Buffer.byteLength(nonce);
  const bytes = Buffer.allocUnsafe(2 + size);
  bytes[0] = (5 << 3) | WireType.LengthDelimited;
  bytes[1] = size;
  bytes.write(nonce, 2);
  return bytes;
}

/** What a `Resource` says about its body. */
type Head = Pick<Resource, "name" | "version" | "aliases" | "ttlMs">;

/** The `resources` field of a response for one resource, in both variants. */
export type ResourceFragments = { readonly deltaField: Uint8Array; readonly sotwField: Uint8Array };

/**
 * Encodes one resource for both variants at once. `Any` is field 2 of both `Resource` and `DiscoveryResponse`, so
 * the SotW form is the end of the delta form.
 */
export function encodeFragments(resource: Head & { typeUrl: string; body: Uint8Array | undefined }): ResourceFragments {
  const any = resource.body && encodeAny(resource.typeUrl, resource.body);
  const inner = encodeResourceHead(resource);
  const anyLength = any ? any.length : 0;
  const outer = new BinaryWriter()
    .tag(2, WireType.LengthDelimited)
    .uint32(inner.length + anyLength)
    .finish();
  const deltaField = Buffer.concat([outer, inner, ...(any ? [any] : [])]);
  return { deltaField, sotwField: deltaField.subarray(deltaField.length - anyLength) };
}

/** A `Resource` without a body, which renews the TTL of what the client has at this version (xds R11). */
export function encodeHeartbeat(resource: Head): Uint8Array {
  const inner = encodeResourceHead({ ...resource, aliases: [] });
  const outer = new BinaryWriter().tag(2, WireType.LengthDelimited).uint32(inner.length).finish();
  return Buffer.concat([outer, inner]);
}

/** For SotW clients with the feature for it: wraps a `Resource` into the `Any`, which can then carry a TTL (xds R10). */
export function wrapForSotw(deltaField: Uint8Array): Uint8Array {
  const reader = new BinaryReader(deltaField);
  reader.tag();
  const resource = reader.bytes();
  return encodeAny(typeUrlOf("envoy.service.discovery.v3.Resource"), resource);
}

function encodeAny(typeUrl: string, body: Uint8Array): Uint8Array {
  const type = new BinaryWriter();
  string(type, 1, typeUrl);
  if (body.length > 0) type.tag(2, WireType.LengthDelimited).uint32(body.length);
  const head = type.finish();
  const outer = new BinaryWriter()
    .tag(2, WireType.LengthDelimited)
    .uint32(head.length + body.length)
    .finish();
  return Buffer.concat([outer, head, body]);
}

function encodeResourceHead(resource: Head): Uint8Array {
  const writer = new BinaryWriter();
  string(writer, 1, resource.version);
  string(writer, 3, resource.name);
  for (const alias of resource.aliases) writer.tag(4, WireType.LengthDelimited).string(alias);
  if (resource.ttlMs !== undefined) {
    writer.tag(6, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.Varint).int64(Math.floor(resource.ttlMs / 1000));
    writer.tag(2, WireType.Varint).int32((resource.ttlMs % 1000) * 1_000_000);
    writer.join();
  }
  return writer.finish();
}

function string(writer: BinaryWriter, field: number, value: string): void {
  if (value !== "") writer.tag(field, WireType.LengthDelimited).string(value);
}
