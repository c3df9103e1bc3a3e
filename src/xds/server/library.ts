/**
 * The public door of the xDS engine (`fairlead/xds`): a resource cache, and a server that serves it to Envoy and to
 * proxyless gRPC clients. It knows nothing of services and backends, and does not validate what it carries.
 */
// biome-ignore-all lint/performance/noBarrelFile: a package export needs one door; inside the project nobody imports it as a short cut
/** What `XdsServer.listen` takes, from the same grpc-js that the server runs on. */
export { ServerCredentials } from "@grpc/grpc-js";
export { contentVersion } from "../content/content-version.ts";
export { type EncodedLocality, encodeAssignment } from "../content/encode-assignment.ts";
export { type ProxylessInput, proxylessProblems } from "../lint/proxyless.ts";
export type { ProxylessEffect, ProxylessProblem } from "../lint/proxyless-problem.ts";
export type { ResourceKey } from "../protocol/resource.ts";
export type {
  ResourceHolding as ResourceStatus,
  StandingRefusal as RefusalStatus,
} from "../protocol/resource-holding.ts";
export {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  EXTENSION_TYPE,
  LEDS_TYPE,
  LISTENER_TYPE,
  RESOURCE_TYPES,
  type ResourceType,
  ROUTE_TYPE,
  RUNTIME_TYPE,
  SCOPED_ROUTE_TYPE,
  SECRET_TYPE,
  VIRTUAL_HOST_TYPE,
} from "../protocol/resource-types.ts";
export type { TypeHolding as TypeStatus } from "../protocol/stream-holding.ts";
export { type CachedResource, prepareResource, type ResourceBytes, type ResourceInput } from "./cached-resource.ts";
export type { ClientRef, ClientStatus } from "./client-status.ts";
export { DEFAULT_LIMITS, REFUSING_LIMITS, type RefusingLimit, type XdsLimits } from "./limits.ts";
export { isGrpcClient, mayBeEnvoy, type NodeIdentity } from "./node-identity.ts";
export type { Peer, SubjectNames } from "./peer.ts";
export { LocalRefusalMemory, type RefusalMemory, type RememberedRefusal } from "./refusal-memory.ts";
export { type Changes, ResourceCache, type Transaction } from "./resource-cache.ts";
export { resourceFromJson } from "./resource-json.ts";
export type { XdsServerEvents } from "./server-events.ts";
export type { Placement, XdsServerOptions } from "./server-options.ts";
export { XdsServer } from "./xds-server.ts";
