import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { DeltaRequest, Send, SotwRequest } from "../protocol/events.ts";

/** A request as read from the wire; the node is left as bytes, to be read once per stream (R26). */
export type WireRequest<R> = {
  readonly request: R;
  readonly node: Uint8Array | undefined;
  readonly namesRegion: Uint8Array;
};

const EMPTY = new Uint8Array();
const NO_VERSIONS: ReadonlyMap<string, string> = new Map();

/**
 * Reads `DiscoveryRequest`. When the names are byte for byte those of the previous request of the type, they are not
 * decoded again: `names` is then undefined.
 */
export function readDiscoveryRequest(
  bytes: Uint8Array,
  previousNames: (typeUrl: string) => Uint8Array | undefined,
  maxNames: number,
): WireRequest<SotwRequest> {
  const reader = new BinaryReader(bytes);
  let versionInfo = "";
  let typeUrl = "";
  let nonce = "";
  let node: Uint8Array | undefined;
  let error: SotwRequest["error"];
  const names: { from: number; to: number }[] = [];
  while (reader.pos < reader.len) {
    const at = reader.pos;
    const [field, type] = reader.tag();
    if (field === 1) versionInfo = reader.string();
    else if (field === 2) node = reader.bytes();
    else if (field === 3) {
      reader.skip(type, field);
      names.push({ from: at, to: reader.pos });
      if (names.length > maxNames) throw new TooManyNames(maxNames);
    } else if (field === 4) typeUrl = reader.string();
    else if (field === 5) nonce = reader.string();
    else if (field === 6) error = readStatus(reader.bytes());
    else reader.skip(type, field);
  }
  const region = joinRegions(bytes, names);
  const previous = previousNames(typeUrl);
  const same = previous !== undefined && Buffer.compare(previous, region) === 0;
  const request = { typeUrl, versionInfo, nonce, error, names: same ? undefined : readNames(region) };
  return { request, node, namesRegion: same ? previous : region.slice() };
}

/** Reads `DeltaDiscoveryRequest`. */
export function readDeltaRequest(bytes: Uint8Array, maxNames: number): WireRequest<DeltaRequest> {
  const reader = new BinaryReader(bytes);
  let typeUrl = "";
  let nonce = "";
  let node: Uint8Array | undefined;
  let error: DeltaRequest["error"];
  const subscribe: string[] = [];
  const unsubscribe: string[] = [];
  let initialVersions: Map<string, string> | undefined;
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 1) node = reader.bytes();
    else if (field === 2) typeUrl = reader.string();
    else if (field === 3) subscribe.push(reader.string());
    else if (field === 4) unsubscribe.push(reader.string());
    else if (field === 5) {
      const [name, version] = readEntry(reader.bytes());
      initialVersions ??= new Map();
      initialVersions.set(name, version);
    } else if (field === 6) nonce = reader.string();
    else if (field === 7) error = readStatus(reader.bytes());
    else reader.skip(type, field);
    if (subscribe.length + unsubscribe.length + (initialVersions?.size ?? 0) > 2 * maxNames)
      throw new TooManyNames(maxNames);
  }
  const request = { typeUrl, nonce, error, subscribe, unsubscribe, initialVersions: initialVersions ?? NO_VERSIONS };
  return { request, node, namesRegion: EMPTY };
}

/** A request names more than the stated limit. */
export class TooManyNames extends Error {
  constructor(maxNames: number) {
    super(`a request may name at most ${maxNames} resources`);
  }
}

/** `DiscoveryResponse` without its nonce, around bytes that were encoded when the resources were made. */
export function discoveryResponseParts(send: Send, identifier: string, resources: readonly Uint8Array[]): Uint8Array[] {
  const head = new BinaryWriter();
  string(head, 1, send.version);
  const tail = new BinaryWriter();
  string(tail, 4, send.typeUrl);
  controlPlane(tail, 6, identifier);
  return [head.finish(), ...resources, tail.finish()];
}

/** `DeltaDiscoveryResponse` without its nonce, around bytes that were encoded when the resources were made. */
export function deltaResponseParts(send: Send, identifier: string, resources: readonly Uint8Array[]): Uint8Array[] {
  const head = new BinaryWriter();
  string(head, 1, identifier);
  const tail = new BinaryWriter();
  string(tail, 4, send.typeUrl);
  for (const name of send.removed) tail.tag(6, WireType.LengthDelimited).string(name);
  controlPlane(tail, 7, identifier);
  return [head.finish(), ...resources, tail.finish()];
}

/** The nonce of a response, the same field in both variants. Fields may stand in any order: it goes last. */
export function encodeNonce(nonce: string): Buffer {
  const size = Buffer.byteLength(nonce);
  const bytes = Buffer.allocUnsafe(2 + size);
  bytes[0] = (5 << 3) | WireType.LengthDelimited;
  bytes[1] = size;
  bytes.write(nonce, 2);
  return bytes;
}

/** The fields of one resource that a response repeats. */
export type ResourceFragments = { readonly deltaField: Uint8Array; readonly sotwField: Uint8Array };

/**
 * Encodes one resource for both variants at once. `Any` is field 2 both of `Resource` and of `DiscoveryResponse`, so
 * the SotW form is the end of the delta form.
 */
export function encodeFragments(resource: {
  typeUrl: string;
  name: string;
  version: string;
  aliases: readonly string[];
  ttlMs: number | undefined;
  body: Uint8Array | undefined;
}): ResourceFragments {
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

/** A `Resource` without body: renews the TTL of what the client has at this version (R11). */
export function encodeHeartbeat(resource: { name: string; version: string; ttlMs: number | undefined }): Uint8Array {
  const inner = encodeResourceHead({ ...resource, aliases: [] });
  const outer = new BinaryWriter().tag(2, WireType.LengthDelimited).uint32(inner.length).finish();
  return Buffer.concat([outer, inner]);
}

/** SotW with the client feature for it: `Resource` wrapped into the `Any`, so that it can carry a TTL (R10). */
export function wrapForSotw(deltaField: Uint8Array): Uint8Array {
  const reader = new BinaryReader(deltaField);
  reader.tag();
  const resource = reader.bytes();
  const any = encodeAny("type.googleapis.com/envoy.service.discovery.v3.Resource", resource);
  return any;
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

function encodeResourceHead(resource: {
  name: string;
  version: string;
  aliases: readonly string[];
  ttlMs: number | undefined;
}): Uint8Array {
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

function controlPlane(writer: BinaryWriter, field: number, identifier: string): void {
  if (identifier === "") return;
  writer.tag(field, WireType.LengthDelimited).fork();
  string(writer, 1, identifier);
  writer.join();
}

function readStatus(bytes: Uint8Array): { code: number; message: string } {
  const reader = new BinaryReader(bytes);
  const status = { code: 0, message: "" };
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 1) status.code = reader.int32();
    else if (field === 2) status.message = reader.string();
    else reader.skip(type, field);
  }
  return status;
}

function readEntry(bytes: Uint8Array): [string, string] {
  const reader = new BinaryReader(bytes);
  let key = "";
  let value = "";
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 1) key = reader.string();
    else if (field === 2) value = reader.string();
    else reader.skip(type, field);
  }
  return [key, value];
}

function readNames(region: Uint8Array): string[] {
  const reader = new BinaryReader(region);
  const names: string[] = [];
  while (reader.pos < reader.len) {
    reader.tag();
    names.push(reader.string());
  }
  return names;
}

function joinRegions(bytes: Uint8Array, parts: readonly { from: number; to: number }[]): Uint8Array {
  const [first] = parts;
  const last = parts.at(-1);
  if (!first || !last) return EMPTY;
  const contiguous = parts.every((part, index) => index === 0 || part.from === parts[index - 1]?.to);
  if (contiguous) return bytes.subarray(first.from, last.to);
  return Buffer.concat(parts.map(({ from, to }) => bytes.subarray(from, to)));
}
