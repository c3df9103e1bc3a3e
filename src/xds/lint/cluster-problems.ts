import { fromBinary } from "@bufbuild/protobuf";
import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  Cluster_RingHashLbConfig_HashFunction,
  type LoadBalancingPolicy,
} from "../../gen/envoy/config/cluster/v3/cluster_pb.ts";
import type { ConfigSource } from "../../gen/envoy/config/core/v3/config_source_pb.ts";
import {
  RingHash_HashFunction,
  RingHashSchema,
} from "../../gen/envoy/extensions/load_balancing_policies/ring_hash/v3/ring_hash_pb.ts";
import { WrrLocalitySchema } from "../../gen/envoy/extensions/load_balancing_policies/wrr_locality/v3/wrr_locality_pb.ts";
import { UpstreamTlsContextSchema } from "../../gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.ts";
import { typeUrlOf } from "../protocol/resource-types.ts";
import { type Finding, refused } from "./proxyless-problem.ts";
import { tlsProblems } from "./tls-problems.ts";

const AGGREGATE = typeUrlOf("envoy.extensions.clusters.aggregate.v3.ClusterConfig");
const POLICIES = typeUrlOf("envoy.extensions.load_balancing_policies.");
const WRR_LOCALITY = `${POLICIES}wrr_locality.v3.WrrLocality`;
const RING_HASH = `${POLICIES}ring_hash.v3.RingHash`;

/** What every library knows. */
const EVERYWHERE: ReadonlySet<string> = new Set([
  WRR_LOCALITY,
  `${POLICIES}round_robin.v3.RoundRobin`,
  RING_HASH,
  typeUrlOf("xds.type.v3.TypedStruct"),
]);
/** What only some know, or only when an environment variable allows it. */
const SOMEWHERE: ReadonlySet<string> = new Set([
  `${POLICIES}least_request.v3.LeastRequest`,
  `${POLICIES}pick_first.v3.PickFirst`,
  `${POLICIES}client_side_weighted_round_robin.v3.ClientSideWeightedRoundRobin`,
]);

/** What a proxyless client finds wrong with a cluster. */
export function clusterProblems(cluster: Cluster): Finding[] {
  return [
    ...discoveryProblems(cluster),
    ...policyProblems(cluster),
    ...socketProblems(cluster),
    ...loadProblems(cluster),
  ];
}

/** Whether the source is the stream itself, the only one that gRPC takes. */
export function isOwnStream(source: ConfigSource | undefined): boolean {
  const kind = source?.configSourceSpecifier.case;
  return kind === "ads" || kind === "self";
}

/** Whether calls are spread by a ring of hashes. */
export function usesRingHash({ lbPolicy, loadBalancingPolicy }: Cluster): boolean {
  return loadBalancingPolicy === undefined && lbPolicy === Cluster_LbPolicy.RING_HASH;
}

function discoveryProblems(cluster: Cluster): Finding[] {
  const { clusterDiscoveryType: kind, edsClusterConfig } = cluster;
  if (kind.case === "clusterType") {
    if (kind.value.typedConfig?.typeUrl === AGGREGATE) return [];
    return [refused("cluster_type", "cluster_type_unknown", "Of the custom clusters, only aggregates are known.")];
  }
  const type = kind.case === "type" ? kind.value : Cluster_DiscoveryType.STATIC;
  if (type === Cluster_DiscoveryType.EDS) {
    if (isOwnStream(edsClusterConfig?.edsConfig)) return [];
    const why = "Endpoints must come over the same stream: `ads` or `self`.";
    return [refused("eds_cluster_config.eds_config", "config_source_not_own", why)];
  }
  if (type === Cluster_DiscoveryType.LOGICAL_DNS) {
    const localities = cluster.loadAssignment?.endpoints ?? [];
    if (localities.length === 1 && localities[0]?.lbEndpoints.length === 1) return [];
    const why = "LOGICAL_DNS needs exactly one locality with exactly one endpoint.";
    return [refused("load_assignment", "dns_endpoint_not_one", why)];
  }
  return [refused("type", "cluster_type_unknown", "A cluster must be EDS, LOGICAL_DNS or an aggregate.")];
}

function policyProblems({ lbPolicy, lbConfig, loadBalancingPolicy }: Cluster): Finding[] {
  if (loadBalancingPolicy) return policyListProblems("load_balancing_policy", loadBalancingPolicy);
  if (lbPolicy === Cluster_LbPolicy.ROUND_ROBIN) return [];
  if (lbPolicy === Cluster_LbPolicy.RING_HASH) {
    const { XX_HASH } = Cluster_RingHashLbConfig_HashFunction;
    if (lbConfig.case !== "ringHashLbConfig" || lbConfig.value.hashFunction === XX_HASH) return [];
    return [refused("ring_hash_lb_config.hash_function", "hash_function_unknown", "Only XX_HASH is known.")];
  }
  const effect = lbPolicy === Cluster_LbPolicy.LEAST_REQUEST ? "partial" : "refused";
  const explanation = "Only ROUND_ROBIN and RING_HASH are known to all libraries.";
  return [{ field: "lb_policy", code: "lb_policy_unknown", effect, explanation }];
}

/** A client takes the first entry that it knows. */
function policyListProblems(field: string, { policies }: LoadBalancingPolicy): Finding[] {
  const configs = policies.map(({ typedExtensionConfig }) => typedExtensionConfig?.typedConfig);
  const first = configs.findIndex((config) => EVERYWHERE.has(config?.typeUrl ?? ""));
  const config = configs[first];
  if (config?.typeUrl === WRR_LOCALITY) return childProblems(`${field}.policies[${first}]`, config);
  if (config?.typeUrl === RING_HASH) return hashProblems(`${field}.policies[${first}]`, config);
  if (config) return [];
  const partly = configs.some((each) => SOMEWHERE.has(each?.typeUrl ?? ""));
  const explanation = partly
    ? "Only some libraries know a policy in this list: add round_robin as its last entry."
    : "No library knows any policy in this list.";
  return [{ field, code: "lb_policy_unknown", effect: partly ? "partial" : "refused", explanation }];
}

function childProblems(field: string, config: Any): Finding[] {
  const child = fromBinary(WrrLocalitySchema, config.value).endpointPickingPolicy;
  if (child) return policyListProblems(`${field}.endpoint_picking_policy`, child);
  return [refused(field, "lb_policy_unknown", "wrr_locality needs an endpoint picking policy.")];
}

/** Unlike in the cluster's own setting, the default is not a function that the libraries know. */
function hashProblems(field: string, config: Any): Finding[] {
  if (fromBinary(RingHashSchema, config.value).hashFunction === RingHash_HashFunction.XX_HASH) return [];
  return [refused(`${field}.hash_function`, "hash_function_unknown", "Only XX_HASH is known; write it.")];
}

function socketProblems({ transportSocket, transportSocketMatches }: Cluster): Finding[] {
  if (transportSocketMatches.length > 0) {
    const why = "A cluster has one transport socket for all its endpoints.";
    return [refused("transport_socket_matches", "transport_socket_matches_set", why)];
  }
  if (!transportSocket) return [];
  const config = transportSocket.configType.value;
  const context = config && anyUnpack(config, UpstreamTlsContextSchema);
  return tlsProblems(transportSocket.name, context, "verifies");
}

function loadProblems({ lrsServer }: Cluster): Finding[] {
  if (!lrsServer || lrsServer.configSourceSpecifier.case === "self") return [];
  return [refused("lrs_server", "config_source_not_own", "Load can be reported only to `self`.")];
}
