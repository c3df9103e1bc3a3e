import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Profile } from "../domain/fleet-profile.ts";
import {
  callPaths,
  hashedHeaders,
  isDialable,
  matchedHeaders,
  meetsCalls,
  RETRIED,
  whyHeldForGrpc,
} from "../domain/grpc-clients.ts";
import { ruleHashKeys } from "../domain/hash-keys.ts";
import type { GrpcListener } from "../domain/listener.ts";
import { mergeRoutes } from "../domain/merge-routes.ts";
import type { Name } from "../domain/name.ts";
import type { HeaderMatch, PathMatch, Route, Rule } from "../domain/route.ts";
import type { PlacedRule } from "../domain/rule-order.ts";
import type { State } from "../domain/state.ts";
import { Cluster_DiscoveryType, Cluster_LbPolicy, ClusterSchema } from "../gen/envoy/config/cluster/v3/cluster_pb.ts";
import { ClusterLoadAssignmentSchema } from "../gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { ListenerSchema } from "../gen/envoy/config/listener/v3/listener_pb.ts";
import {
  type Route as CallRoute,
  type HeaderMatcher,
  HeaderMatcherSchema,
  type RouteAction_HashPolicy,
  RouteAction_HashPolicySchema,
  type RouteActionSchema,
  type RouteMatch,
  RouteMatchSchema,
  RouteSchema,
} from "../gen/envoy/config/route/v3/route_components_pb.ts";
import { RouteConfigurationSchema } from "../gen/envoy/config/route/v3/route_pb.ts";
import { RouterSchema } from "../gen/envoy/extensions/filters/http/router/v3/router_pb.ts";
import { HttpConnectionManagerSchema } from "../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import { CLUSTER_TYPE, ENDPOINT_TYPE, ROUTE_TYPE } from "../xds/protocol/resource-types.ts";
import { type Part, partOf } from "./content.ts";
import { ADS, duration, pack } from "./message-parts.ts";
import { type ObjectRef, resourceOf } from "./resource.ts";
import { retryConditions } from "./retries.ts";
import { destination } from "./route-rules.ts";

/** What gRPC clients ask for by name when they dial the hosts of a listener, and the services that this leads to. */
export interface DerivedCalls {
  readonly parts: readonly Part[];
  /** Existing services only, sorted. */
  readonly services: readonly Name[];
}

/** For each host that can be dialled, a listener and its routes, both under the host: a change concerns its callers only. */
export function deriveCalls(
  state: State,
  listener: GrpcListener,
  { routes, profile }: { readonly routes: readonly Route[]; readonly profile: Profile },
): DerivedCalls {
  const parts: Part[] = [];
  const led = new Set<Name>();
  const closed = new Map<string, PlacedRule>();
  for (const { hosts, rules } of mergeRoutes(routes).groups) {
    const placed = rules.map((one) => ({ ...one, isHeld: isHeld(state, one.rule) }));
    const held = placed.filter(({ isHeld, rule }) => isHeld && meetsCalls(rule));
    for (const rule of held) closed.set(closedName(rule), rule);
    const calls = placed.flatMap((one) => callRoute(state, one, profile));
    const to = placed.filter(({ isHeld, rule }) => !isHeld && meetsCalls(rule)).flatMap(({ rule }) => rule.to);
    const services = [...new Set(to.filter(({ weight }) => weight > 0).map(({ service }) => service))]
      .filter((name) => state.get("service", name) !== undefined)
      .toSorted();
    for (const service of services) led.add(service);
    const objects = [{ kind: "listener", name: listener.name } as const, ...routesOf(rules)];
    for (const host of hosts.filter(isDialable)) {
      const message = create(RouteConfigurationSchema, {
        name: host,
        // It is asked for by callers of this host only, whatever authority they say.
        virtualHosts: [{ name: host, domains: ["*"], routes: calls }],
      });
      const references = [...services, ...held.map(closedName)].map((name) => ({ typeUrl: CLUSTER_TYPE, name }));
      parts.push(partOf(resourceOf(RouteConfigurationSchema, message, { name: host, references, objects })));
      parts.push(partOf(apiListener(listener, host)));
    }
  }
  for (const [name, rule] of closed) parts.push(...closedCluster(name, rule));
  return { parts, services: [...led].toSorted() };
}

/** Clients name the cluster when a call fails, so it names the rule. No service has such a name. */
function closedName({ route, index }: PlacedRule): string {
  return `held:${route.name}/rules[${index}]`;
}

/** A cluster without endpoints, which fails every call at once; a route without a cluster ends some clients' process. */
function closedCluster(name: string, { route }: PlacedRule): Part[] {
  const objects = [{ kind: "route", name: route.name }] as const;
  const cluster = create(ClusterSchema, {
    name,
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: { edsConfig: ADS, serviceName: name },
    lbPolicy: Cluster_LbPolicy.ROUND_ROBIN,
  });
  const endpoints = create(ClusterLoadAssignmentSchema, { clusterName: name });
  const references = [{ typeUrl: ENDPOINT_TYPE, name }];
  return [
    partOf(resourceOf(ClusterSchema, cluster, { name, references, objects })),
    partOf(resourceOf(ClusterLoadAssignmentSchema, endpoints, { name, references: [], objects })),
  ];
}

function apiListener({ name: listener }: GrpcListener, host: string) {
  const manager = pack(HttpConnectionManagerSchema, {
    statPrefix: listener,
    routeSpecifier: { case: "rds", value: { configSource: ADS, routeConfigName: host } },
    httpFilters: [
      { name: "envoy.filters.http.router", configType: { case: "typedConfig", value: pack(RouterSchema, {}) } },
    ],
  });
  return resourceOf(ListenerSchema, create(ListenerSchema, { name: host, apiListener: { apiListener: manager } }), {
    name: host,
    references: [{ typeUrl: ROUTE_TYPE, name: host }],
    objects: [{ kind: "listener", name: listener }],
  });
}

function routesOf(rules: readonly PlacedRule[]): ObjectRef[] {
  const names = [...new Set(rules.map(({ route }) => route.name))].toSorted();
  return names.map((name) => ({ kind: "route", name }));
}

/** Rules that lead nowhere are closed too: clients refuse a split without a weight. */
function isHeld(state: State, rule: Rule): boolean {
  const why = whyHeldForGrpc(rule, (service) => state.get("service", service));
  return why !== undefined || rule.to.every(({ weight }) => weight === 0);
}

/** None where no call meets the rule. A held one fails all calls that it may match, rather than let others have them. */
function callRoute(state: State, placed: PlacedRule & { readonly isHeld: boolean }, profile: Profile): CallRoute[] {
  const { route, rule, isHeld } = placed;
  if (!meetsCalls(rule)) return [];
  const { name } = route;
  const to = (value: MessageInitShape<typeof RouteActionSchema>) =>
    callMatches(rule).map((match) => create(RouteSchema, { name, match, action: { case: "route", value } }));
  if (isHeld) return to({ clusterSpecifier: { case: "cluster", value: closedName(placed) } });
  const retryOn = retryConditions(rule, profile).filter((one) => RETRIED.includes(one));
  return to({
    clusterSpecifier: destination(rule),
    hashPolicy: ruleHashKeys(state, rule).flatMap(({ key }) => hashPolicies(hashedHeaders(key))),
    // It would cut streams, as the timeout of the first profile does.
    ...(profile.timeoutEnds === "answer" &&
      rule.timeoutMs > 0 && { maxStreamDuration: { maxStreamDuration: duration(rule.timeoutMs) } }),
    ...(rule.retry !== undefined &&
      retryOn.length > 0 && { retryPolicy: { retryOn: retryOn.join(","), numRetries: rule.retry.attempts } }),
  });
}

function callMatches(rule: Rule): RouteMatch[] {
  // Absent, `case_sensitive` is false to grpc-java.
  const common = { headers: matchedHeaders(rule).map(headerMatcher), caseSensitive: true };
  return callPaths(rule.path).map((path) =>
    create(RouteMatchSchema, { pathSpecifier: pathSpecifier(path), ...common }),
  );
}

function pathSpecifier(path: PathMatch) {
  if (path.kind === "regex") return { case: "safeRegex", value: { regex: path.regex } } as const;
  return { case: path.kind === "exact" ? "path" : "prefix", value: path.path } as const;
}

/** In the fields that libraries of all ages read; their successor `string_match` is younger than some. */
function headerMatcher({ name, kind, value, invert }: HeaderMatch): HeaderMatcher {
  return create(HeaderMatcherSchema, { name, headerMatchSpecifier: specifierOf(kind, value), invertMatch: invert });
}

function specifierOf(kind: HeaderMatch["kind"], value: string) {
  if (kind === "present") return { case: "presentMatch", value: true } as const;
  if (kind === "regex") return { case: "safeRegexMatch", value: { regex: value } } as const;
  // grpc-js does not know `contains_match`.
  if (kind === "contains") return { case: "safeRegexMatch", value: { regex: `.*${quoted(value)}.*` } } as const;
  return { case: `${kind}Match`, value } as const;
}

function quoted(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}

function hashPolicies(headers: readonly { readonly name: string }[]): RouteAction_HashPolicy[] {
  return headers.map(({ name }, index) =>
    create(RouteAction_HashPolicySchema, {
      terminal: index === headers.length - 1,
      policySpecifier: { case: "header", value: { headerName: name } },
    }),
  );
}
