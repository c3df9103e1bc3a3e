import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import { type Cluster, Cluster_DiscoveryType, ClusterSchema } from "../../gen/envoy/config/cluster/v3/cluster_pb.ts";
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from "../../gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import type { FilterChain } from "../../gen/envoy/config/listener/v3/listener_components_pb.ts";
import { type Listener, ListenerSchema } from "../../gen/envoy/config/listener/v3/listener_pb.ts";
import {
  type Route,
  type VirtualHost,
  VirtualHostSchema,
} from "../../gen/envoy/config/route/v3/route_components_pb.ts";
import { type RouteConfiguration, RouteConfigurationSchema } from "../../gen/envoy/config/route/v3/route_pb.ts";
import { ScopedRouteConfigurationSchema } from "../../gen/envoy/config/route/v3/scoped_route_pb.ts";
import { HttpConnectionManagerSchema } from "../../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import { TcpProxySchema } from "../../gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.ts";
import {
  type CommonTlsContext,
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "../../gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.ts";
import type { ResourceKey } from "../protocol/resource.ts";
import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  LEDS_TYPE,
  LISTENER_TYPE,
  ROUTE_TYPE,
  SCOPED_ROUTE_TYPE,
  SECRET_TYPE,
  typeUrlOf,
  VIRTUAL_HOST_TYPE,
} from "../protocol/resource-types.ts";

const AGGREGATE_TYPE = typeUrlOf("envoy.extensions.clusters.aggregate.v3.ClusterConfig");

type Found = Map<string, ResourceKey>;

/**
 * What a resource of a well-known type refers to: a cluster its endpoint set, a route its clusters, and so on.
 * Bytes that do not decode refer to nothing: the engine does not validate what it carries.
 */
export function referencesOf(typeUrl: string, body: Uint8Array): readonly ResourceKey[] {
  const read = READERS[typeUrl];
  if (!read) return [];
  const found: Found = new Map();
  try {
    read(body, found);
  } catch {
    return [];
  }
  return [...found.values()];
}

const READERS: Readonly<Record<string, (body: Uint8Array, found: Found) => void>> = {
  [CLUSTER_TYPE]: (body, found) => readCluster(fromBinary(ClusterSchema, body), found),
  [ENDPOINT_TYPE]: (body, found) => readEndpoints(body, found),
  [LISTENER_TYPE]: (body, found) => readListener(fromBinary(ListenerSchema, body), found),
  [ROUTE_TYPE]: (body, found) => readRoutes(fromBinary(RouteConfigurationSchema, body), found),
  [VIRTUAL_HOST_TYPE]: (body, found) => readHosts([fromBinary(VirtualHostSchema, body)], found),
  [SCOPED_ROUTE_TYPE]: (body, found) =>
    add(found, ROUTE_TYPE, fromBinary(ScopedRouteConfigurationSchema, body).routeConfigurationName),
};

function readCluster(cluster: Cluster, found: Found): void {
  const { clusterDiscoveryType: kind } = cluster;
  if (kind.case === "type" && kind.value === Cluster_DiscoveryType.EDS) {
    add(found, ENDPOINT_TYPE, cluster.edsClusterConfig?.serviceName || cluster.name);
  }
  const config = kind.case === "clusterType" ? kind.value.typedConfig : undefined;
  if (config?.typeUrl === AGGREGATE_TYPE) {
    const reader = new BinaryReader(config.value);
    while (reader.pos < reader.len) {
      const [field, type] = reader.tag();
      if (field === 1) add(found, CLUSTER_TYPE, reader.string());
      else reader.skip(type, field);
    }
  }
  for (const socket of [
    cluster.transportSocket,
    ...cluster.transportSocketMatches.map((match) => match.transportSocket),
  ]) {
    const any = socket?.configType.value;
    readTls(unpack(any, UpstreamTlsContextSchema)?.commonTlsContext, found);
  }
}

/** Decodes only a body that names a member collection: plain endpoint sets are the largest resources there are. */
function readEndpoints(body: Uint8Array, found: Found): void {
  if (!Buffer.from(body.buffer, body.byteOffset, body.byteLength).includes("xdstp://")) return;
  const assignment: ClusterLoadAssignment = fromBinary(ClusterLoadAssignmentSchema, body);
  for (const { lbConfig } of assignment.endpoints) {
    if (lbConfig.case === "ledsClusterLocalityConfig") add(found, LEDS_TYPE, lbConfig.value.ledsCollectionName);
  }
}

function readListener(listener: Listener, found: Found): void {
  const chains = [...listener.filterChains, listener.defaultFilterChain];
  for (const chain of chains) if (chain) readChain(chain, found);
  readNetworkFilter(listener.apiListener?.apiListener, found);
}

function readChain(chain: FilterChain, found: Found): void {
  for (const filter of chain.filters) {
    if (filter.configType.case === "typedConfig") readNetworkFilter(filter.configType.value, found);
  }
  readTls(unpack(chain.transportSocket?.configType.value, DownstreamTlsContextSchema)?.commonTlsContext, found);
}

function readNetworkFilter(any: Any | undefined, found: Found): void {
  const manager = unpack(any, HttpConnectionManagerSchema);
  if (manager?.routeSpecifier.case === "rds") add(found, ROUTE_TYPE, manager.routeSpecifier.value.routeConfigName);
  if (manager?.routeSpecifier.case === "routeConfig") readHosts(manager.routeSpecifier.value.virtualHosts, found);
  const proxy = unpack(any, TcpProxySchema)?.clusterSpecifier;
  if (proxy?.case === "cluster") add(found, CLUSTER_TYPE, proxy.value);
  if (proxy?.case === "weightedClusters") for (const { name } of proxy.value.clusters) add(found, CLUSTER_TYPE, name);
}

/** Discovered virtual hosts are named in the namespace of their route configuration. */
function readRoutes({ name, virtualHosts, vhds }: RouteConfiguration, found: Found): void {
  readHosts(virtualHosts, found);
  if (vhds) add(found, VIRTUAL_HOST_TYPE, `${name}/`);
}

function readHosts(hosts: readonly VirtualHost[], found: Found): void {
  for (const host of hosts) {
    for (const { cluster } of host.requestMirrorPolicies) add(found, CLUSTER_TYPE, cluster);
    for (const route of host.routes) readRoute(route, found);
  }
}

function readRoute(route: Route, found: Found): void {
  if (route.action.case !== "route") return;
  const { clusterSpecifier: target, requestMirrorPolicies } = route.action.value;
  for (const { cluster } of requestMirrorPolicies) add(found, CLUSTER_TYPE, cluster);
  if (target.case === "cluster") add(found, CLUSTER_TYPE, target.value);
  if (target.case === "weightedClusters") for (const { name } of target.value.clusters) add(found, CLUSTER_TYPE, name);
}

function readTls(tls: CommonTlsContext | undefined, found: Found): void {
  if (!tls) return;
  for (const { name } of tls.tlsCertificateSdsSecretConfigs) add(found, SECRET_TYPE, name);
  const { validationContextType: validation } = tls;
  if (validation.case === "validationContextSdsSecretConfig") add(found, SECRET_TYPE, validation.value.name);
  if (validation.case === "combinedValidationContext") {
    add(found, SECRET_TYPE, validation.value.validationContextSdsSecretConfig?.name ?? "");
  }
}

function unpack<D extends DescMessage>(any: Any | undefined, schema: D): MessageShape<D> | undefined {
  return any && anyUnpack(any, schema);
}

function add(found: Found, typeUrl: string, name: string): void {
  if (name !== "") found.set(`${typeUrl} ${name}`, { typeUrl, name });
}
