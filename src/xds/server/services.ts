import type { handleBidiStreamingCall, ServiceDefinition, UntypedServiceImplementation } from "@grpc/grpc-js";
import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  EXTENSION_TYPE,
  LEDS_TYPE,
  LISTENER_TYPE,
  ROUTE_TYPE,
  RUNTIME_TYPE,
  SCOPED_ROUTE_TYPE,
  SECRET_TYPE,
  VIRTUAL_HOST_TYPE,
} from "../protocol/resource-types.ts";

export type Variant = "sotw" | "delta";

/** One streaming method; without a type it is aggregated. */
export type DiscoveryMethod = {
  readonly service: string;
  readonly method: string;
  readonly variant: Variant;
  readonly typeUrl: string | undefined;
};

/** The method, if a client has only one stream of it: aggregated streams, and those of the wildcard types. */
export function soleMethod({ method, typeUrl }: DiscoveryMethod): string | undefined {
  return typeUrl === undefined || typeUrl === CLUSTER_TYPE || typeUrl === LISTENER_TYPE ? method : undefined;
}

const ENVOY = "envoy.service";

/** All methods that are served. The unary `Fetch…` methods are left out on purpose: they are UNIMPLEMENTED (xds R20). */
export const DISCOVERY_METHODS: readonly DiscoveryMethod[] = [
  sotw("discovery.v3.AggregatedDiscoveryService", "StreamAggregatedResources", undefined),
  delta("discovery.v3.AggregatedDiscoveryService", "DeltaAggregatedResources", undefined),
  sotw("listener.v3.ListenerDiscoveryService", "StreamListeners", LISTENER_TYPE),
  delta("listener.v3.ListenerDiscoveryService", "DeltaListeners", LISTENER_TYPE),
  sotw("route.v3.RouteDiscoveryService", "StreamRoutes", ROUTE_TYPE),
  delta("route.v3.RouteDiscoveryService", "DeltaRoutes", ROUTE_TYPE),
  sotw("route.v3.ScopedRoutesDiscoveryService", "StreamScopedRoutes", SCOPED_ROUTE_TYPE),
  delta("route.v3.ScopedRoutesDiscoveryService", "DeltaScopedRoutes", SCOPED_ROUTE_TYPE),
  delta("route.v3.VirtualHostDiscoveryService", "DeltaVirtualHosts", VIRTUAL_HOST_TYPE),
  sotw("cluster.v3.ClusterDiscoveryService", "StreamClusters", CLUSTER_TYPE),
  delta("cluster.v3.ClusterDiscoveryService", "DeltaClusters", CLUSTER_TYPE),
  sotw("endpoint.v3.EndpointDiscoveryService", "StreamEndpoints", ENDPOINT_TYPE),
  delta("endpoint.v3.EndpointDiscoveryService", "DeltaEndpoints", ENDPOINT_TYPE),
  delta("endpoint.v3.LocalityEndpointDiscoveryService", "DeltaLocalityEndpoints", LEDS_TYPE),
  sotw("secret.v3.SecretDiscoveryService", "StreamSecrets", SECRET_TYPE),
  delta("secret.v3.SecretDiscoveryService", "DeltaSecrets", SECRET_TYPE),
  sotw("runtime.v3.RuntimeDiscoveryService", "StreamRuntime", RUNTIME_TYPE),
  delta("runtime.v3.RuntimeDiscoveryService", "DeltaRuntime", RUNTIME_TYPE),
  sotw("extension.v3.ExtensionConfigDiscoveryService", "StreamExtensionConfigs", EXTENSION_TYPE),
  delta("extension.v3.ExtensionConfigDiscoveryService", "DeltaExtensionConfigs", EXTENSION_TYPE),
];

type Handle = (call: Parameters<handleBidiStreamingCall<Buffer, Buffer>>[0], method: DiscoveryMethod) => void;

/** The definitions of these methods, each with an implementation that passes calls to `handle`. */
export function discoveryServices(handle: Handle): [ServiceDefinition, UntypedServiceImplementation][] {
  return [...Map.groupBy(DISCOVERY_METHODS, ({ service }) => service)].map(([service, methods]) => {
    const implementation: UntypedServiceImplementation = {};
    for (const method of methods) {
      const serve: handleBidiStreamingCall<Buffer, Buffer> = (call) => handle(call, method);
      implementation[method.method] = serve;
    }
    return [Object.fromEntries(methods.map(({ method }) => [method, rawMethod(service, method)])), implementation];
  });
}

/** A method whose messages are read and written as they are on the wire. */
export function rawMethod(service: string, method: string): ServiceDefinition[string] {
  const pass = (bytes: Buffer) => bytes;
  return {
    path: `/${service}/${method}`,
    requestStream: true,
    responseStream: true,
    requestSerialize: pass,
    requestDeserialize: pass,
    responseSerialize: pass,
    responseDeserialize: pass,
  };
}

function sotw(service: string, method: string, typeUrl: string | undefined): DiscoveryMethod {
  return { service: `${ENVOY}.${service}`, method, variant: "sotw", typeUrl };
}

function delta(service: string, method: string, typeUrl: string | undefined): DiscoveryMethod {
  return { service: `${ENVOY}.${service}`, method, variant: "delta", typeUrl };
}
