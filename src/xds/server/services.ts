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
  /** Its name, if a client has only one stream of it. */
  readonly sole: string | undefined;
};

/** The services, each with what its methods deliver. */
const SERVICES: readonly [service: string, resources: string, typeUrl?: string][] = [
  ["discovery.v3.AggregatedDiscoveryService", "AggregatedResources"],
  ["listener.v3.ListenerDiscoveryService", "Listeners", LISTENER_TYPE],
  ["route.v3.RouteDiscoveryService", "Routes", ROUTE_TYPE],
  ["route.v3.ScopedRoutesDiscoveryService", "ScopedRoutes", SCOPED_ROUTE_TYPE],
  ["route.v3.VirtualHostDiscoveryService", "VirtualHosts", VIRTUAL_HOST_TYPE],
  ["cluster.v3.ClusterDiscoveryService", "Clusters", CLUSTER_TYPE],
  ["endpoint.v3.EndpointDiscoveryService", "Endpoints", ENDPOINT_TYPE],
  ["endpoint.v3.LocalityEndpointDiscoveryService", "LocalityEndpoints", LEDS_TYPE],
  ["secret.v3.SecretDiscoveryService", "Secrets", SECRET_TYPE],
  ["runtime.v3.RuntimeDiscoveryService", "Runtime", RUNTIME_TYPE],
  ["extension.v3.ExtensionConfigDiscoveryService", "ExtensionConfigs", EXTENSION_TYPE],
];
const DELTA_ONLY: ReadonlySet<string | undefined> = new Set([VIRTUAL_HOST_TYPE, LEDS_TYPE]);
/** A client has one stream of each of these: aggregated ones, and those of the wildcard types. */
const SOLE: ReadonlySet<string | undefined> = new Set([undefined, CLUSTER_TYPE, LISTENER_TYPE]);

/** All methods that are served. The unary `Fetch…` methods are left out on purpose: they are UNIMPLEMENTED (xds R20). */
export const DISCOVERY_METHODS: readonly DiscoveryMethod[] = SERVICES.flatMap(([service, resources, typeUrl]) => {
  const method = (variant: Variant, name: string): DiscoveryMethod => {
    const sole = SOLE.has(typeUrl) ? name : undefined;
    return { service: `envoy.service.${service}`, method: name, variant, typeUrl, sole };
  };
  const delta = method("delta", `Delta${resources}`);
  return DELTA_ONLY.has(typeUrl) ? [delta] : [method("sotw", `Stream${resources}`), delta];
});

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
