import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { Backend, Locality, Target } from "../domain/backend.ts";
import { UNIT_WEIGHTS_IMPLIED } from "../domain/encoding-profile.ts";
import type { RoutedBackend, RoutingState } from "../domain/routing-state.ts";
import type { AddressSchema } from "../gen/envoy/config/core/v3/address_pb.ts";
import { HealthStatus } from "../gen/envoy/config/core/v3/health_check_pb.ts";
import { LbEndpointSchema } from "../gen/envoy/config/endpoint/v3/endpoint_components_pb.ts";
import { Memory } from "./memory.ts";
import { sortedEntries } from "./message-parts.ts";

/** Envoy refuses an assignment in which the weights of a priority have a greater sum. */
const MAX_WEIGHT_SUM = 4_294_967_295;

const STATUS = {
  HEALTHY: HealthStatus.HEALTHY,
  DEGRADED: HealthStatus.DEGRADED,
  UNHEALTHY: HealthStatus.UNHEALTHY,
  DRAINING: HealthStatus.DRAINING,
} as const;

export interface EndpointMember {
  readonly entry: RoutedBackend;
  readonly weight: number;
  /** Its `LbEndpoint`, encoded. */
  readonly bytes: Uint8Array;
}

/** Endpoints of one priority and locality: what Envoy calls `LocalityLbEndpoints`. */
export interface EndpointGroup {
  readonly key: string;
  readonly locality: Locality;
  /** Priorities without gaps: 0, 1, 2, … */
  readonly level: number;
  readonly members: readonly EndpointMember[];
}

/** The endpoints that proxies are told about, by priority and locality, in a fixed order. */
export function groupEndpoints(
  { backends }: RoutingState,
  profile: number,
  memory = new Memory(),
): readonly EndpointGroup[] {
  const told = backends.filter(({ status }) => status !== undefined);
  const priorities = [...new Set(told.map(({ backend }) => backend.priority))].toSorted((a, b) => a - b);
  const total = told.reduce((sum, { backend }) => sum + backend.weight, 0);
  const divisor = Math.ceil((total + told.length) / MAX_WEIGHT_SUM);
  const groups = new Map<string, { key: string; locality: Locality; level: number; members: EndpointMember[] }>();
  let last: { of: Backend; group: { members: EndpointMember[] } } | undefined;
  for (const entry of told) {
    const { backend } = entry;
    const weight = Math.max(1, Math.floor(backend.weight / divisor));
    const stated = weight === 1 && profile >= UNIT_WEIGHTS_IMPLIED ? undefined : weight;
    const member = { entry, weight, bytes: encodeEndpoint(entry, stated, memory) };
    // Most are in the group of the one before, and need no lookup.
    if (last === undefined || !isSameGroup(last.of, backend)) {
      const { priority, locality } = backend;
      const key = groupKey(backend);
      const group = groups.get(key) ?? { key, locality, level: priorities.indexOf(priority), members: [] };
      groups.set(key, group);
      last = { of: backend, group };
    }
    last.group.members.push(member);
  }
  return [...groups.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

/** Which group a backend belongs to, by its own priority and locality: stable, whatever other groups there are. */
export function groupKey({ priority, locality }: Backend): string {
  return `${priority}\0${locality.region}\0${locality.zone}\0${locality.subZone}`;
}

function isSameGroup(a: Backend, b: Backend): boolean {
  return (
    a.priority === b.priority &&
    a.locality.region === b.locality.region &&
    a.locality.zone === b.locality.zone &&
    a.locality.subZone === b.locality.subZone
  );
}

/** One `LbEndpoint`. Encoded once for an entry that is carried over from one routing state to the next. */
function encodeEndpoint(entry: RoutedBackend, weight: number | undefined, { endpoints }: Memory): Uint8Array {
  const known = endpoints.get(entry);
  if (known !== undefined && known.weight === weight) return known.bytes;
  const { target, metadata } = entry.backend;
  const fields = sortedEntries(metadata);
  const endpoint = create(LbEndpointSchema, {
    hostIdentifier: { case: "endpoint", value: { address: addressOf(target) } },
    ...(entry.status && { healthStatus: STATUS[entry.status] }),
    ...(weight !== undefined && { loadBalancingWeight: weight }),
    ...(fields.length > 0 && { metadata: { filterMetadata: { fairlead: Object.fromEntries(fields) } } }),
  });
  const bytes = toBinary(LbEndpointSchema, endpoint);
  endpoints.set(entry, { weight, bytes });
  return bytes;
}

export function addressOf(target: Target): MessageInitShape<typeof AddressSchema> {
  if (target.kind === "pipe") return { address: { case: "pipe", value: { path: target.path } } };
  const value = { address: target.ip, portSpecifier: { case: "portValue", value: target.port } } as const;
  return { address: { case: "socketAddress", value } };
}
