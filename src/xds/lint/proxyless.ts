/** Explains, before publication, what proxyless gRPC clients would refuse, or accept and then fail their calls over. */
import { type DescMessage, fromBinary, type Message, type MessageShape } from "@bufbuild/protobuf";
import { type Cluster, ClusterSchema } from "../../gen/envoy/config/cluster/v3/cluster_pb.ts";
import { ClusterLoadAssignmentSchema } from "../../gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { type Listener, ListenerSchema } from "../../gen/envoy/config/listener/v3/listener_pb.ts";
import { type RouteConfiguration, RouteConfigurationSchema } from "../../gen/envoy/config/route/v3/route_pb.ts";
import type { ResourceKey } from "../protocol/resource.ts";
import { typeUrlOf } from "../protocol/resource-types.ts";
import { clusterProblems, usesRingHash } from "./cluster-problems.ts";
import { endpointProblems } from "./endpoint-problems.ts";
import { apiManager, listenerProblems } from "./listener-problems.ts";
import { type Finding, type ProxylessProblem, refused, unavailable, within } from "./proxyless-problem.ts";
import { routeProblems, servesInPlace, servesTarget } from "./route-problems.ts";

/** A message, or its bytes as a cache holds them. */
export type ProxylessInput = Message | (ResourceKey & { readonly body: Uint8Array | undefined });

type Decoded = {
  readonly listeners: Listener[];
  readonly routes: Map<string, RouteConfiguration>;
  readonly clusters: Cluster[];
  readonly problems: ProxylessProblem[];
};

/**
 * Every reason why resources are unsuitable for proxyless gRPC clients; empty when there is none. Pass everything that a
 * group is served, since some reasons lie between two resources; types that such clients never ask for are ignored.
 *
 * It knows how grpc-js, C-core, Go and Java behaved when tried, and follows the strictest of them: Envoy itself may accept
 * all of this. Certificate providers are looked for only in the resources, not in a client's bootstrap.
 */
export function proxylessProblems(resources: Iterable<ProxylessInput>): ProxylessProblem[] {
  const decoded: Decoded = { listeners: [], routes: new Map(), clusters: [], problems: [] };
  for (const input of resources) decode(input, decoded);
  const { listeners, routes, clusters, problems } = decoded;
  const ringHash = new Set(clusters.filter(usesRingHash).map(({ name }) => name));
  for (const cluster of clusters) problems.push(...of(ClusterSchema, cluster.name, clusterProblems(cluster)));
  for (const { name, virtualHosts } of routes.values()) {
    problems.push(...of(RouteConfigurationSchema, name, routeProblems(virtualHosts, ringHash)));
  }
  for (const listener of listeners) {
    const found = [...listenerProblems(listener), ...routingProblems(listener, routes, ringHash)];
    problems.push(...of(ListenerSchema, listener.name, found));
  }
  return problems;
}

function decode(input: ProxylessInput, { listeners, routes, clusters, problems }: Decoded): void {
  const read = <D extends DescMessage>(schema: D): MessageShape<D> | undefined => {
    if ("$typeName" in input) return input.$typeName === schema.typeName ? (input as MessageShape<D>) : undefined;
    if (input.typeUrl !== typeUrlOf(schema.typeName) || !input.body) return undefined;
    try {
      return fromBinary(schema, input.body);
    } catch {
      problems.push(...of(schema, input.name, [refused("", "undecodable", "The bytes do not decode as this type.")]));
      return undefined;
    }
  };
  const listener = read(ListenerSchema);
  const route = read(RouteConfigurationSchema);
  const cluster = read(ClusterSchema);
  const endpoints = read(ClusterLoadAssignmentSchema);
  if (listener) listeners.push(listener);
  if (route) routes.set(route.name, route);
  if (cluster) clusters.push(cluster);
  if (endpoints) problems.push(...of(ClusterLoadAssignmentSchema, endpoints.clusterName, endpointProblems(endpoints)));
}

/**
 * What is wrong with how a client's listener routes. Its name is that of the client's target, unless the bootstrap has a
 * template, whose names begin with `xdstp:`.
 */
function routingProblems(
  listener: Listener,
  known: ReadonlyMap<string, RouteConfiguration>,
  ringHash: ReadonlySet<string>,
): Finding[] {
  const routes = apiManager(listener)?.routeSpecifier;
  const inline = routes?.case === "routeConfig" ? routes.value : undefined;
  const config = routes?.case === "rds" ? known.get(routes.value.routeConfigName) : inline;
  const found = within("api_listener.route_config", routeProblems(inline?.virtualHosts ?? [], ringHash));
  if (config && servesInPlace(config.virtualHosts)) {
    const explanation = "A `non_forwarding_action` is for servers: a client over grpc-js ends its process.";
    found.push({ field: "api_listener", code: "action_of_server", effect: "crash", explanation });
  }
  if (config && !listener.name.startsWith("xdstp:") && !servesTarget(config.virtualHosts, listener.name)) {
    const why = `No virtual host serves ${listener.name}; the port of a target counts too.`;
    found.push(unavailable("api_listener", "domain_unmatched", why));
  }
  return found;
}

function of(schema: DescMessage, name: string, findings: readonly Finding[]): ProxylessProblem[] {
  return findings.map((finding) => ({ resource: { typeUrl: typeUrlOf(schema.typeName), name }, ...finding }));
}
