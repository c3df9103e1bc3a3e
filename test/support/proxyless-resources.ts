/** Resources in the shapes that all gRPC libraries take. */
import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import {
  type Cluster,
  Cluster_DiscoveryType,
  ClusterSchema,
} from "../../src/gen/envoy/config/cluster/v3/cluster_pb.ts";
import {
  type LocalityLbEndpoints,
  LocalityLbEndpointsSchema,
} from "../../src/gen/envoy/config/endpoint/v3/endpoint_components_pb.ts";
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from "../../src/gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { type Listener, ListenerSchema } from "../../src/gen/envoy/config/listener/v3/listener_pb.ts";
import {
  type Route,
  RouteSchema,
  type VirtualHost,
  VirtualHostSchema,
} from "../../src/gen/envoy/config/route/v3/route_components_pb.ts";
import { type RouteConfiguration, RouteConfigurationSchema } from "../../src/gen/envoy/config/route/v3/route_pb.ts";
import { RouterSchema } from "../../src/gen/envoy/extensions/filters/http/router/v3/router_pb.ts";
import { HttpConnectionManagerSchema } from "../../src/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";

export const ADS = { configSourceSpecifier: { case: "ads", value: {} } } as const;

/** The plain-object form of a message. */
export type Init<D extends DescMessage> = Exclude<MessageInitShape<D>, { $typeName: string }>;

export function packed<D extends DescMessage>(schema: D, init?: MessageInitShape<D>): Any {
  return create(AnySchema, {
    typeUrl: `type.googleapis.com/${schema.typeName}`,
    value: toBinary(schema, create(schema, init)),
  });
}

export const router = () => ({
  name: "router",
  configType: { case: "typedConfig", value: packed(RouterSchema) } as const,
});

/** A connection manager that asks for the routes `rc`. */
export const httpManager = (more: Init<typeof HttpConnectionManagerSchema> = {}): Any =>
  packed(HttpConnectionManagerSchema, {
    routeSpecifier: { case: "rds", value: { routeConfigName: "rc", configSource: ADS } },
    httpFilters: [router()],
    ...more,
  });

export const apiListener = (name: string, manager: Any = httpManager()): Listener =>
  create(ListenerSchema, { name, apiListener: { apiListener: manager } });

/** Routes everything to the clusters, in equal parts. */
export const routesTo = (...clusters: string[]): RouteConfiguration => routeConfig(hostOf(routeTo(...clusters)));

export const routeConfig = (...virtualHosts: VirtualHost[]): RouteConfiguration =>
  create(RouteConfigurationSchema, { name: "rc", virtualHosts });

/** Takes every target. */
export const hostOf = (...routes: Route[]): VirtualHost =>
  create(VirtualHostSchema, { name: "all", domains: ["*"], routes });

export const routeTo = (...clusters: string[]): Route =>
  routeWith({
    case: "route",
    value: {
      clusterSpecifier: {
        case: "weightedClusters",
        value: { clusters: clusters.map((name) => ({ name, weight: 1 })) },
      },
    },
  });

/** Does this with every call. */
export const routeWith = (action: NonNullable<Init<typeof RouteSchema>["action"]>): Route =>
  create(RouteSchema, { match: { pathSpecifier: { case: "prefix", value: "" } }, action });

export const edsCluster = (name: string, more: Init<typeof ClusterSchema> = {}): Cluster =>
  create(ClusterSchema, {
    name,
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: { edsConfig: ADS },
    ...more,
  });

export const endpointAt = (port: number, address = "127.0.0.1") => ({
  hostIdentifier: {
    case: "endpoint",
    value: {
      address: {
        address: {
          case: "socketAddress",
          value: { address, portSpecifier: { case: "portValue", value: port } },
        },
      },
    },
  } as const,
});

type Members = NonNullable<Init<typeof LocalityLbEndpointsSchema>["lbEndpoints"]>;

export const locality = (...lbEndpoints: Members): LocalityLbEndpoints =>
  create(LocalityLbEndpointsSchema, { locality: {}, loadBalancingWeight: 1, lbEndpoints });

export const assignment = (clusterName: string, ...endpoints: LocalityLbEndpoints[]): ClusterLoadAssignment =>
  create(ClusterLoadAssignmentSchema, { clusterName, endpoints });
