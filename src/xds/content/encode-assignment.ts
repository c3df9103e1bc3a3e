import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { LocalitySchema } from "../../gen/envoy/config/core/v3/base_pb.ts";

/** Field numbers of `ClusterLoadAssignment` and `LocalityLbEndpoints`. */
const CLUSTER_NAME = 1;
const ENDPOINTS = 2;
const LOCALITY = 1;
const LB_ENDPOINTS = 2;
const LOAD_BALANCING_WEIGHT = 3;
const PRIORITY = 5;

/** One `LocalityLbEndpoints` whose endpoints are encoded already. */
export interface EncodedLocality {
  readonly locality?: MessageInitShape<typeof LocalitySchema>;
  /** `load_balancing_weight`. */
  readonly weight?: number;
  readonly priority?: number;
  /** Each holds the bytes of one `LbEndpoint`. */
  readonly lbEndpoints: readonly Uint8Array[];
}

/**
 * The bytes of a `ClusterLoadAssignment`, the same as encoding the whole message gives: a caller that changes one endpoint
 * of ten thousand encodes that one, and copies the others.
 */
export function encodeAssignment(clusterName: string, localities: readonly EncodedLocality[]): Uint8Array<ArrayBuffer> {
  const name = new BinaryWriter().tag(CLUSTER_NAME, WireType.LengthDelimited).string(clusterName).finish();
  const parts = localities.map(partsOf);
  const sizes = parts.map(sizeOf);
  const encoded = new Uint8Array(sizes.reduce((sum, size) => sum + fieldSize(size), name.length));
  encoded.set(name);
  let at = name.length;
  for (const [index, { head, lbEndpoints, tail }] of parts.entries()) {
    at = beginField(encoded, at, ENDPOINTS, sizes[index] ?? 0);
    encoded.set(head, at);
    at += head.length;
    for (const bytes of lbEndpoints) {
      at = beginField(encoded, at, LB_ENDPOINTS, bytes.length);
      encoded.set(bytes, at);
      at += bytes.length;
    }
    encoded.set(tail, at);
    at += tail.length;
  }
  return encoded;
}

/** One `LocalityLbEndpoints`: the fields before its endpoints, the endpoints, and the fields after them. */
interface Parts {
  readonly head: Uint8Array;
  readonly lbEndpoints: readonly Uint8Array[];
  readonly tail: Uint8Array;
}

function partsOf({ locality, weight, priority = 0, lbEndpoints }: EncodedLocality): Parts {
  const head = new BinaryWriter();
  if (locality !== undefined) {
    const bytes = toBinary(LocalitySchema, create(LocalitySchema, locality));
    head.tag(LOCALITY, WireType.LengthDelimited).bytes(bytes);
  }
  const tail = new BinaryWriter();
  if (weight !== undefined) {
    const value = new BinaryWriter().tag(1, WireType.Varint).uint32(weight).finish();
    tail.tag(LOAD_BALANCING_WEIGHT, WireType.LengthDelimited).bytes(value);
  }
  if (priority > 0) tail.tag(PRIORITY, WireType.Varint).uint32(priority);
  return { head: head.finish(), lbEndpoints, tail: tail.finish() };
}

function sizeOf({ head, lbEndpoints, tail }: Parts): number {
  let size = head.length + tail.length;
  for (const { length } of lbEndpoints) size += fieldSize(length);
  return size;
}

/** The size of a length-delimited field with a small field number: its tag is one byte. */
function fieldSize(bytes: number): number {
  let size = 2 + bytes;
  for (let rest = bytes >>> 7; rest > 0; rest >>>= 7) size++;
  return size;
}

/** Writes the tag and length of a field at `at`. Returns where its content begins. */
function beginField(into: Uint8Array, at: number, field: number, bytes: number): number {
  let next = at;
  into[next++] = (field << 3) | WireType.LengthDelimited;
  let rest = bytes;
  for (; rest > 0x7f; rest >>>= 7) into[next++] = (rest & 0x7f) | 0x80;
  into[next++] = rest;
  return next;
}
