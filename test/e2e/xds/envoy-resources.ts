/** The smallest resources with which a real Envoy serves traffic. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  ClusterSchema,
} from "../../../src/gen/envoy/config/cluster/v3/cluster_pb.ts";
import {
  ApiConfigSource_ApiType,
  ApiVersion,
  type ConfigSourceSchema,
} from "../../../src/gen/envoy/config/core/v3/config_source_pb.ts";
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from "../../../src/gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { type Listener, ListenerSchema } from "../../../src/gen/envoy/config/listener/v3/listener_pb.ts";
import { type RouteConfiguration, RouteConfigurationSchema } from "../../../src/gen/envoy/config/route/v3/route_pb.ts";
import { RouterSchema } from "../../../src/gen/envoy/extensions/filters/http/router/v3/router_pb.ts";
import { HttpConnectionManagerSchema } from "../../../src/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";

type Source = MessageInitShape<typeof ConfigSourceSchema>;

const ADS: Source = { configSourceSpecifier: { case: "ads", value: {} }, resourceApiVersion: ApiVersion.V3 };

export function clusterOf(
  name: string,
  lbPolicy: Cluster_LbPolicy = Cluster_LbPolicy.ROUND_ROBIN,
  edsConfig = ADS,
): Cluster {
  return create(ClusterSchema, {
    name,
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: { edsConfig },
    connectTimeout: { seconds: 1n },
    lbPolicy,
  });
}

/** Refused by every Envoy: endpoints by discovery, but no source for them. */
export function badCluster(name: string): Cluster {
  return create(ClusterSchema, { name, clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS } });
}

export function endpointsOf(clusterName: string, port: number): ClusterLoadAssignment {
  return create(ClusterLoadAssignmentSchema, {
    clusterName,
    endpoints: [{ lbEndpoints: [{ hostIdentifier: { case: "endpoint", value: { address: socketAddress(port) } } }] }],
  });
}

/** Refused by every Envoy: a name where only an address may stand. */
export function badEndpoints(clusterName: string): ClusterLoadAssignment {
  const portSpecifier = { case: "portValue" as const, value: 80 };
  const address = { address: { case: "socketAddress" as const, value: { address: "a.name", portSpecifier } } };
  return create(ClusterLoadAssignmentSchema, {
    clusterName,
    endpoints: [{ lbEndpoints: [{ hostIdentifier: { case: "endpoint", value: { address } } }] }],
  });
}

export function routeTo(name: string, cluster: string): RouteConfiguration {
  return create(RouteConfigurationSchema, {
    name,
    virtualHosts: [
      {
        name: "all",
        domains: ["*"],
        routes: [
          {
            match: { pathSpecifier: { case: "prefix", value: "/" } },
            action: { case: "route", value: { clusterSpecifier: { case: "cluster", value: cluster } } },
          },
        ],
      },
    ],
  });
}

export function listenerOf(name: string, port: number, routeConfigName: string, configSource = ADS): Listener {
  const manager = create(HttpConnectionManagerSchema, {
    statPrefix: name,
    routeSpecifier: { case: "rds", value: { routeConfigName, configSource } },
    httpFilters: [
      { name: "router", configType: { case: "typedConfig", value: anyPack(RouterSchema, create(RouterSchema)) } },
    ],
  });
  const typedConfig = anyPack(HttpConnectionManagerSchema, manager);
  return create(ListenerSchema, {
    name,
    address: socketAddress(port),
    filterChains: [{ filters: [{ name: "http", configType: { case: "typedConfig", value: typedConfig } }] }],
  });
}

/** A stream of its own for each subscription, to the static cluster "xds" of the bootstrap. */
export function ownStream(protocol: "delta" | "sotw"): Source {
  const apiType = protocol === "delta" ? ApiConfigSource_ApiType.DELTA_GRPC : ApiConfigSource_ApiType.GRPC;
  const grpcServices = [{ targetSpecifier: { case: "envoyGrpc" as const, value: { clusterName: "xds" } } }];
  return {
    configSourceSpecifier: {
      case: "apiConfigSource",
      value: { apiType, grpcServices, transportApiVersion: ApiVersion.V3 },
    },
    resourceApiVersion: ApiVersion.V3,
  };
}

function socketAddress(port: number) {
  const portSpecifier = { case: "portValue" as const, value: port };
  return { address: { case: "socketAddress" as const, value: { address: "127.0.0.1", portSpecifier } } };
}
