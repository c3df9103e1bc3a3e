import { createRegistry, type DescMessage, fromBinary, type JsonValue, type Message, toJson } from "@bufbuild/protobuf";
import { ClusterSchema } from "../../src/gen/envoy/config/cluster/v3/cluster_pb.ts";
import { LbEndpointSchema } from "../../src/gen/envoy/config/endpoint/v3/endpoint_components_pb.ts";
import { ClusterLoadAssignmentSchema } from "../../src/gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { ListenerSchema } from "../../src/gen/envoy/config/listener/v3/listener_pb.ts";
import { RouteConfigurationSchema } from "../../src/gen/envoy/config/route/v3/route_pb.ts";
import { RouterSchema } from "../../src/gen/envoy/extensions/filters/http/router/v3/router_pb.ts";
import { HttpConnectionManagerSchema } from "../../src/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import { LeastRequestSchema } from "../../src/gen/envoy/extensions/load_balancing_policies/least_request/v3/least_request_pb.ts";
import { MaglevSchema } from "../../src/gen/envoy/extensions/load_balancing_policies/maglev/v3/maglev_pb.ts";
import { RandomSchema } from "../../src/gen/envoy/extensions/load_balancing_policies/random/v3/random_pb.ts";
import { RingHashSchema } from "../../src/gen/envoy/extensions/load_balancing_policies/ring_hash/v3/ring_hash_pb.ts";
import { RoundRobinSchema } from "../../src/gen/envoy/extensions/load_balancing_policies/round_robin/v3/round_robin_pb.ts";
import { WrrLocalitySchema } from "../../src/gen/envoy/extensions/load_balancing_policies/wrr_locality/v3/wrr_locality_pb.ts";
import { PreviousHostsPredicateSchema } from "../../src/gen/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.ts";
import { HttpProtocolOptionsSchema } from "../../src/gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.ts";
import type { Resource } from "../../src/resources/resource.ts";

/** Every message that our resources are made of, also inside an `Any`. */
export const ENVOY_TYPES: readonly DescMessage[] = [
  ClusterSchema,
  ClusterLoadAssignmentSchema,
  LbEndpointSchema,
  ListenerSchema,
  RouteConfigurationSchema,
  RouterSchema,
  HttpConnectionManagerSchema,
  LeastRequestSchema,
  MaglevSchema,
  RandomSchema,
  RingHashSchema,
  RoundRobinSchema,
  PreviousHostsPredicateSchema,
  HttpProtocolOptionsSchema,
  WrrLocalitySchema,
];

export function decodeResource({ typeUrl, body }: Resource): { desc: DescMessage; message: Message } {
  const desc = ENVOY_TYPES.find(({ typeName }) => typeUrl === `type.googleapis.com/${typeName}`);
  if (desc === undefined) throw new Error(`${typeUrl} is none of ours`);
  return { desc, message: fromBinary(desc, body) };
}

/** The body of a resource in the JSON that Envoy's own configuration files take. */
export function resourceJson(resource: Resource): JsonValue {
  const { desc, message } = decodeResource(resource);
  return toJson(desc, message, { registry: createRegistry(...ENVOY_TYPES) });
}
