import type { RoutingState } from "../domain/routing-state.ts";
import { type EncodedLocality, encodeAssignment } from "../xds/content/encode-assignment.ts";
import { ENDPOINT_TYPE } from "../xds/protocol/resource-types.ts";
import { type EndpointGroup, groupEndpoints } from "./endpoint-groups.ts";
import type { Memory } from "./memory.ts";
import { type Resource, resourceOfBytes } from "./resource.ts";

/**
 * The endpoint set of one service, without its cluster: all that a change of health, weight or membership remakes.
 *
 * Weights are those of the backends, whatever their localities: clusters switch off weighting and preference by locality.
 * The weight of a locality is the sum of its members', which readers that go by locality first (gRPC) need for the same
 * proportions.
 */
export function deriveEndpoints(routing: RoutingState, profile: number, memory?: Memory): Resource {
  const { service } = routing;
  const localities = Array.from(groupEndpoints(routing, profile, memory), encodedLocality);
  const objects = [{ kind: "service", name: service }] as const;
  const body = encodeAssignment(service, localities);
  return resourceOfBytes({ typeUrl: ENDPOINT_TYPE, name: service }, body, { references: [], objects });
}

function encodedLocality({ locality, level, members }: EndpointGroup): EncodedLocality {
  const weight = members.reduce((sum, member) => sum + member.weight, 0);
  return { locality, weight, priority: level, lbEndpoints: members.map(({ bytes }) => bytes) };
}
