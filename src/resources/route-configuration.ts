import { create } from "@bufbuild/protobuf";
import type { Profile } from "../domain/fleet-profile.ts";
import type { HttpListener } from "../domain/listener.ts";
import { type HostRules, mergeRoutes } from "../domain/merge-routes.ts";
import type { Name } from "../domain/name.ts";
import type { Route } from "../domain/route.ts";
import type { State } from "../domain/state.ts";
import { type VirtualHost, VirtualHostSchema } from "../gen/envoy/config/route/v3/route_components_pb.ts";
import { RouteConfigurationSchema } from "../gen/envoy/config/route/v3/route_pb.ts";
import { CLUSTER_TYPE } from "../xds/protocol/resource-types.ts";
import { type Part, partOf } from "./content.ts";
import { type ObjectRef, resourceOf } from "./resource.ts";
import { deriveRule } from "./route-rules.ts";

/** The routes of a listener, and the services they lead to. */
export interface DerivedRoutes {
  readonly part: Part;
  /** Existing services only, sorted. */
  readonly services: readonly Name[];
}

/** Everything that is routed on one listener, under the listener's name; without a route all requests get 404. */
export function deriveRoutes(
  state: State,
  listener: HttpListener,
  { routes, profile }: { readonly routes: readonly Route[]; readonly profile: Profile },
): DerivedRoutes {
  const { groups } = mergeRoutes(routes);
  const message = create(RouteConfigurationSchema, {
    name: listener.name,
    virtualHosts: groups.map((group) => virtualHost(state, group, profile)),
    ignorePortInHostMatching: true,
  });
  const destinations = groups.flatMap(({ rules }) => rules.flatMap(({ rule }) => rule.to));
  const named = new Set(destinations.filter(({ weight }) => weight > 0).map(({ service }) => service));
  const services = [...named].filter((name) => state.get("service", name) !== undefined).toSorted();
  const objects: ObjectRef[] = [
    { kind: "listener", name: listener.name },
    ...routes.map(({ name }) => ({ kind: "route", name }) as const).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  ];
  const references = services.map((name) => ({ typeUrl: CLUSTER_TYPE, name }));
  return {
    part: partOf(resourceOf(RouteConfigurationSchema, message, { name: listener.name, references, objects })),
    services,
  };
}

/** Named after the first of its hosts, which no other virtual host has. */
function virtualHost(state: State, { hosts, rules }: HostRules, profile: Profile): VirtualHost {
  return create(VirtualHostSchema, {
    name: hosts[0] ?? "",
    domains: [...hosts],
    routes: rules.flatMap((rule) => deriveRule(state, rule, profile)),
  });
}
