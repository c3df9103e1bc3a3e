import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Target } from "../domain/backend.ts";
import type { RoutedBackend, RoutingState } from "../domain/routing-state.ts";
import { type Address, AddressSchema } from "../gen/envoy/config/core/v3/address_pb.ts";
import { LocalitySchema } from "../gen/envoy/config/core/v3/base_pb.ts";
import { HealthStatus } from "../gen/envoy/config/core/v3/health_check_pb.ts";
import { LbEndpointSchema } from "../gen/envoy/config/endpoint/v3/endpoint_components_pb.ts";
import { sortedEntries } from "./message-parts.ts";
import { ENDPOINTS_TYPE, type Resource, resourceOfBytes } from "./resource.ts";

/** Field numbers of `ClusterLoadAssignment` and `LocalityLbEndpoints`, which are composed here from encoded parts. */
const CLA_CLUSTER_NAME = 1;
const CLA_ENDPOINTS = 2;
const GROUP_LOCALITY = 1;
const GROUP_ENDPOINTS = 2;
const GROUP_WEIGHT = 3;
const GROUP_PRIORITY = 5;

/** Envoy refuses an assignment in which the weights of a priority have a greater sum. */
const MAX_WEIGHT_SUM = 4_294_967_295;

const STATUS = {
  HEALTHY: HealthStatus.HEALTHY,
  DEGRADED: HealthStatus.DEGRADED,
  UNHEALTHY: HealthStatus.UNHEALTHY,
  DRAINING: HealthStatus.DRAINING,
} as const;

interface Member {
  readonly entry: RoutedBackend;
  readonly status: keyof typeof STATUS;
}

/** Members of one priority and locality: what Envoy calls `LocalityLbEndpoints`. */
interface Group {
  readonly key: string;
  readonly members: Member[];
}

/**
 * The endpoint set of one service, without its cluster: all that a change of health, weight or membership makes anew.
 *
 * Weights are those of the backends, whatever their localities: clusters switch off weighting and preference by locality.
 * The weight of a locality is the sum of its members', which readers that go by locality first (gRPC) need for the same
 * proportions. Priorities are closed up to 0, 1, 2, …
 */
export function deriveEndpoints({ service, backends }: RoutingState): Resource {
  const members: Member[] = [];
  for (const entry of backends) if (entry.status !== undefined) members.push({ entry, status: entry.status });
  const priorities = [...new Set(members.map(({ entry }) => entry.backend.priority))].toSorted((a, b) => a - b);
  const total = members.reduce((sum, { entry }) => sum + entry.backend.weight, 0);
  const divisor = Math.ceil((total + members.length) / MAX_WEIGHT_SUM);
  const writer = new BinaryWriter().tag(CLA_CLUSTER_NAME, WireType.LengthDelimited).string(service);
  for (const group of groupMembers(members)) {
    writer.tag(CLA_ENDPOINTS, WireType.LengthDelimited).bytes(encodeGroup(group, priorities, divisor));
  }
  const objects = [{ kind: "service", name: service }] as const;
  return resourceOfBytes({ typeUrl: ENDPOINTS_TYPE, name: service }, writer.finish(), { references: [], objects });
}

function groupMembers(members: readonly Member[]): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const member of members) {
    const { priority, locality } = member.entry.backend;
    const key = `${priority}\0${locality.region}\0${locality.zone}\0${locality.subZone}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { key, members: [member] });
    else group.members.push(member);
  }
  return [...groups.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

function encodeGroup({ members }: Group, priorities: readonly number[], divisor: number): Uint8Array {
  const writer = new BinaryWriter();
  const [first] = members;
  if (first === undefined) return writer.finish();
  const { locality, priority } = first.entry.backend;
  const level = priorities.indexOf(priority);
  let sum = 0;
  writer
    .tag(GROUP_LOCALITY, WireType.LengthDelimited)
    .bytes(toBinary(LocalitySchema, create(LocalitySchema, locality)));
  for (const { entry, status } of members) {
    const weight = Math.max(1, Math.floor(entry.backend.weight / divisor));
    sum += weight;
    writer.tag(GROUP_ENDPOINTS, WireType.LengthDelimited).bytes(fragment(entry, status, weight));
  }
  const value = new BinaryWriter().tag(1, WireType.Varint).uint32(sum).finish();
  writer.tag(GROUP_WEIGHT, WireType.LengthDelimited).bytes(value);
  if (level > 0) writer.tag(GROUP_PRIORITY, WireType.Varint).uint32(level);
  return writer.finish();
}

/** What was encoded for an entry, and for which weight. Forgotten with the entry; the result does not depend on it. */
const encoded = new WeakMap<RoutedBackend, { readonly weight: number; readonly bytes: Uint8Array }>();

/** One `LbEndpoint`. Encoded once for an entry that is carried over from one routing state to the next. */
function fragment(entry: RoutedBackend, status: keyof typeof STATUS, weight: number): Uint8Array {
  const known = encoded.get(entry);
  if (known?.weight === weight) return known.bytes;
  const { target, metadata } = entry.backend;
  const fields = sortedEntries(metadata);
  const endpoint = create(LbEndpointSchema, {
    hostIdentifier: { case: "endpoint", value: { address: addressOf(target) } },
    healthStatus: STATUS[status],
    loadBalancingWeight: weight,
    ...(fields.length > 0 && { metadata: { filterMetadata: { fairlead: Object.fromEntries(fields) } } }),
  });
  const bytes = toBinary(LbEndpointSchema, endpoint);
  encoded.set(entry, { weight, bytes });
  return bytes;
}

function addressOf(target: Target): Address {
  if (target.kind === "pipe") return create(AddressSchema, { address: { case: "pipe", value: { path: target.path } } });
  return create(AddressSchema, {
    address: {
      case: "socketAddress",
      value: { address: target.ip, portSpecifier: { case: "portValue", value: target.port } },
    },
  });
}
