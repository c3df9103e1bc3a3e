import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { RoutingState } from "../domain/routing-state.ts";
import { LocalitySchema } from "../gen/envoy/config/core/v3/base_pb.ts";
import { type EndpointGroup, groupEndpoints } from "./endpoint-groups.ts";
import { ENDPOINTS_TYPE, type Resource, resourceOfBytes } from "./resource.ts";

/** Field numbers of `ClusterLoadAssignment` and `LocalityLbEndpoints`, which are composed here from encoded parts. */
const CLA_CLUSTER_NAME = 1;
const CLA_ENDPOINTS = 2;
const GROUP_LOCALITY = 1;
const GROUP_ENDPOINTS = 2;
const GROUP_WEIGHT = 3;
const GROUP_PRIORITY = 5;

/**
 * The endpoint set of one service, without its cluster: all that a change of health, weight or membership makes anew.
 *
 * Weights are those of the backends, whatever their localities: clusters switch off weighting and preference by locality.
 * The weight of a locality is the sum of its members', which readers that go by locality first (gRPC) need for the same
 * proportions.
 */
export function deriveEndpoints(routing: RoutingState, profile: number): Resource {
  const { service } = routing;
  const writer = new BinaryWriter().tag(CLA_CLUSTER_NAME, WireType.LengthDelimited).string(service);
  for (const group of groupEndpoints(routing, profile)) {
    writer.tag(CLA_ENDPOINTS, WireType.LengthDelimited).bytes(encodeGroup(group));
  }
  const objects = [{ kind: "service", name: service }] as const;
  return resourceOfBytes({ typeUrl: ENDPOINTS_TYPE, name: service }, writer.finish(), { references: [], objects });
}

function encodeGroup({ locality, level, members }: EndpointGroup): Uint8Array {
  const writer = new BinaryWriter();
  let sum = 0;
  writer
    .tag(GROUP_LOCALITY, WireType.LengthDelimited)
    .bytes(toBinary(LocalitySchema, create(LocalitySchema, locality)));
  for (const { bytes, weight } of members) {
    sum += weight;
    writer.tag(GROUP_ENDPOINTS, WireType.LengthDelimited).bytes(bytes);
  }
  const value = new BinaryWriter().tag(1, WireType.Varint).uint32(sum).finish();
  writer.tag(GROUP_WEIGHT, WireType.LengthDelimited).bytes(value);
  if (level > 0) writer.tag(GROUP_PRIORITY, WireType.Varint).uint32(level);
  return writer.finish();
}
