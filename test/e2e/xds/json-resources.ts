/** Resources in the words of Envoy's documentation, for what the typed builders have no form for. */
import type { JsonObject } from "@bufbuild/protobuf";
import {
  EXTENSION_TYPE,
  LISTENER_TYPE,
  type ResourceInput,
  resourceFromJson,
  SCOPED_ROUTE_TYPE,
} from "../../../src/xds/server/library.ts";

const TYPE = "type.googleapis.com/";

export const ADS = { ads: {}, resourceApiVersion: "V3" };

/** A stream of its own for each subscription, to the static cluster "xds" of the bootstrap. */
export function ownStreamJson(protocol: "delta" | "sotw"): JsonObject {
  return {
    resourceApiVersion: "V3",
    apiConfigSource: {
      apiType: protocol === "delta" ? "DELTA_GRPC" : "GRPC",
      transportApiVersion: "V3",
      grpcServices: [{ envoyGrpc: { clusterName: "xds" } }],
    },
  };
}

/** Configuration of an extension that this project has no message for. */
export function extension(name: string, value: JsonObject = {}): JsonObject {
  return { "@type": `${TYPE}xds.type.v3.TypedStruct`, typeUrl: TYPE + name, value };
}

export const ROUTER = {
  name: "router",
  typedConfig: { "@type": `${TYPE}envoy.extensions.filters.http.router.v3.Router` },
};

/** A listener whose only chain is an HTTP connection manager; `tls` is its common TLS context. */
export function httpListener(options: {
  readonly name: string;
  readonly port: number;
  /** How routes are found, and what else the manager has. */
  readonly manager: JsonObject;
  readonly filters?: readonly JsonObject[];
  readonly tls?: JsonObject;
}): ResourceInput {
  const { name, port, manager, filters = [], tls } = options;
  const http = {
    "@type": `${TYPE}envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    statPrefix: name,
    httpFilters: [...filters, ROUTER],
    ...manager,
  };
  const socket = {
    "@type": `${TYPE}envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext`,
    ...(tls && { commonTlsContext: tls }),
  };
  return resourceFromJson(LISTENER_TYPE, {
    name,
    address: { socketAddress: { address: "127.0.0.1", portValue: port } },
    filterChains: [
      {
        filters: [{ name: "http", typedConfig: http }],
        ...(tls && { transportSocket: { name: "envoy.transport_sockets.tls", typedConfig: socket } }),
      },
    ],
  });
}

/** A route configuration that leads everything to one cluster. */
export function everythingTo(cluster: string, name = "r"): JsonObject {
  return {
    name,
    virtualHosts: [{ name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster } }] }],
  };
}

export const FAULT = "envoy.extensions.filters.http.fault.v3.HTTPFault";

/** The configuration "fault" of a filter that answers this share of the requests by itself. */
export function faultOf(percent: number, type = FAULT): ResourceInput {
  const abort = { httpStatus: 418, percentage: { numerator: percent } };
  return resourceFromJson(EXTENSION_TYPE, { name: "fault", typedConfig: extension(type, { abort }) });
}

/** A filter whose configuration is discovered under the name "fault". */
export function discoveredFault(source: JsonObject): JsonObject {
  return { name: "fault", configDiscovery: { configSource: source, typeUrls: [TYPE + FAULT] } };
}

/** What a connection manager says to find its routes by the header `x-scope`. */
export function scopedRoutes(source: JsonObject): JsonObject {
  return {
    scopedRoutes: {
      name: "scopes",
      scopeKeyBuilder: { fragments: [{ headerValueExtractor: { name: "x-scope", index: 0 } }] },
      rdsConfigSource: source,
      scopedRds: { scopedRdsConfigSource: source },
    },
  };
}

/** Leads requests whose `x-scope` is the scope's name to a route configuration. */
export function scopeTo(name: string, routeConfigurationName: string): ResourceInput {
  const key = { fragments: [{ stringKey: name }] };
  return resourceFromJson(SCOPED_ROUTE_TYPE, { name, routeConfigurationName, key });
}
