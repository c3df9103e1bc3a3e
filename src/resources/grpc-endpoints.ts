import { create, toBinary } from "@bufbuild/protobuf";
import { grpcAlgorithm } from "../domain/grpc-clients.ts";
import type { RoutingState } from "../domain/routing-state.ts";
import { LbEndpointSchema } from "../gen/envoy/config/endpoint/v3/endpoint_components_pb.ts";
import { type EncodedLocality, encodeAssignment } from "../xds/content/encode-assignment.ts";
import { ENDPOINT_TYPE } from "../xds/protocol/resource-types.ts";
import { addressOf, type EndpointGroup, type EndpointMember, groupEndpoints } from "./endpoint-groups.ts";
import type { Memory } from "./memory.ts";
import { type Resource, resourceOfBytes } from "./resource.ts";

/**
 * The endpoint set of one service as gRPC clients go by it. They call whatever they are told of, so they are told of the
 * eligible backends only; those that are degraded come behind all priorities.
 *
 * In a locality they take endpoints in turn, whatever their weights, and share calls among localities by weight. So backends
 * of different weights are put into localities of their own, which differ in their sub-zone; so do those of each priority,
 * since grpc-java keeps one entry for a locality, whatever its priority. A ring counts the weight of a locality times that of
 * an endpoint: there all localities weigh the same.
 */
export function deriveGrpcEndpoints(routing: RoutingState, profile: number, memory?: Memory): Resource {
  const { service, policy } = routing;
  const backends = routing.backends.filter(
    ({ backend, status }) => backend.target.kind === "address" && (status === "HEALTHY" || status === "DEGRADED"),
  );
  const groups = groupEndpoints({ ...routing, backends }, profile, memory);
  const split = groups.flatMap((group) => [partOf(group, "HEALTHY"), partOf(group, "DEGRADED")]);
  const levels = [...new Set(split.filter(({ members }) => members.length > 0).map(orderOf))].toSorted((a, b) => a - b);
  const localities = split.flatMap((part) => {
    const encoded = grpcAlgorithm(policy) === "RING_HASH" ? [wholeLocality(part)] : localitiesByWeight(part);
    return encoded.map((one) => ({ ...one, priority: levels.indexOf(orderOf(part)) }));
  });
  const body = encodeAssignment(
    service,
    localities.filter(({ lbEndpoints }) => lbEndpoints.length > 0),
  );
  const objects = [{ kind: "service", name: service }] as const;
  return resourceOfBytes({ typeUrl: ENDPOINT_TYPE, name: service }, body, { references: [], objects });
}

/** The members of a group that have the same status. */
interface GroupPart extends EndpointGroup {
  readonly status: "HEALTHY" | "DEGRADED";
}

function partOf(group: EndpointGroup, status: GroupPart["status"]): GroupPart {
  return { ...group, status, members: group.members.filter(({ entry }) => entry.status === status) };
}

/** More than there are priorities, which are from 0 to 127. */
const BEHIND_ALL = 1000;

function orderOf({ level, status }: GroupPart): number {
  return status === "HEALTHY" ? level : level + BEHIND_ALL;
}

function wholeLocality(part: GroupPart): EncodedLocality {
  return { locality: localityOf(part), weight: 1, lbEndpoints: part.members.map(bytesOf) };
}

function localitiesByWeight(part: GroupPart): EncodedLocality[] {
  const byWeight = [...Map.groupBy(part.members, ({ weight }) => weight)].toSorted(([a], [b]) => a - b);
  return byWeight.map(([weight, alike]) => ({
    locality: localityOf(part, weight),
    weight: weight * alike.length,
    lbEndpoints: alike.map(bytesOf),
  }));
}

/** Named by what its members are, not by what else there is: clients keep connections while a locality has its name. */
function localityOf({ locality, members, status }: GroupPart, weight = 1): EncodedLocality["locality"] & object {
  const priority = members[0]?.entry.backend.priority ?? 0;
  const apart = [
    ...(priority > 0 ? [`/priority-${priority}`] : []),
    ...(status === "DEGRADED" ? ["/degraded"] : []),
    ...(weight === 1 ? [] : [`/weight-${weight}`]),
  ];
  return { ...locality, subZone: `${locality.subZone}${apart.join("")}` };
}

/** Some clients take DEGRADED for unusable. */
function bytesOf({ entry, weight, bytes }: EndpointMember): Uint8Array {
  if (entry.status === "HEALTHY") return bytes;
  const endpoint = create(LbEndpointSchema, {
    hostIdentifier: { case: "endpoint", value: { address: addressOf(entry.backend.target) } },
    loadBalancingWeight: weight,
  });
  return toBinary(LbEndpointSchema, endpoint);
}
