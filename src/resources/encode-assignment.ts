import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { LocalitySchema } from "../gen/envoy/config/core/v3/base_pb.ts";

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
  /** Each the bytes of one `LbEndpoint`. */
  readonly lbEndpoints: readonly Uint8Array[];
}

/**
 * The bytes of a `ClusterLoadAssignment`, the same as those of the whole message: who changes one endpoint of ten thousand
 * encodes that one, and copies the others.
 */
export function encodeAssignment(clusterName: string, localities: readonly EncodedLocality[]): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter().tag(CLUSTER_NAME, WireType.LengthDelimited).string(clusterName);
  for (const each of localities) writer.tag(ENDPOINTS, WireType.LengthDelimited).bytes(encodeLocality(each));
  return writer.finish();
}

function encodeLocality({ locality, weight, priority = 0, lbEndpoints }: EncodedLocality): Uint8Array {
  const writer = new BinaryWriter();
  if (locality !== undefined) {
    const bytes = toBinary(LocalitySchema, create(LocalitySchema, locality));
    writer.tag(LOCALITY, WireType.LengthDelimited).bytes(bytes);
  }
  for (const bytes of lbEndpoints) writer.tag(LB_ENDPOINTS, WireType.LengthDelimited).bytes(bytes);
  if (weight !== undefined) {
    const value = new BinaryWriter().tag(1, WireType.Varint).uint32(weight).finish();
    writer.tag(LOAD_BALANCING_WEIGHT, WireType.LengthDelimited).bytes(value);
  }
  if (priority > 0) writer.tag(PRIORITY, WireType.Varint).uint32(priority);
  return writer.finish();
}
