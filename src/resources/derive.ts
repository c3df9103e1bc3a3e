import { shareAddresses } from "../domain/fleet-listeners.ts";
import { type Profile, profileOf } from "../domain/fleet-profile.ts";
import type { GrpcListener, HttpListener, Listener } from "../domain/listener.ts";
import type { Name } from "../domain/name.ts";
import { destinationsOf } from "../domain/route.ts";
import { effectivePolicy } from "../domain/routing-state.ts";
import type { Service } from "../domain/service.ts";
import type { State } from "../domain/state.ts";
import { deriveCluster } from "./cluster.ts";
import { type Part, partOf } from "./content.ts";
import { EndpointCache } from "./endpoint-cache.ts";
import { deriveGrpcCluster } from "./grpc-cluster.ts";
import { type DerivedCalls, deriveCalls } from "./grpc-listener.ts";
import { deriveListener } from "./listener.ts";
import type { Memory } from "./memory.ts";
import { type DerivedRoutes, deriveRoutes } from "./route-configuration.ts";
import type { View } from "./view.ts";

/**
 * Everything that the proxies of a view should have: the listeners of its fleet, what is routed on them, and the services
 * that this leads to. It is total (law 9): whatever refers to nothing or lost a conflict is left out or answers 503, and
 * nothing else changes. The cost depends on what the fleet has, not on what else exists.
 *
 * @returns a `Content`: each type and name once, with parts that belong together side by side
 * @param cache For the same state, where the caller keeps one: a result from the same input as before is the same object.
 */
export function derive(state: State, view: View, cache = new EndpointCache(state)): Map<string, Part> {
  const { memory } = cache;
  const profile = profileOf(state, view.fleet);
  const content = new Map<string, Part>();
  const routed = new Set<Name>();
  const { open, grpc } = shareAddresses(state.referring("listener", "fleet", view.fleet));
  const isGrpc = view.level === "grpc";
  if (isGrpc && grpc !== undefined) {
    const { parts, services } = callsOn(state, grpc, { profile, memory });
    for (const service of services) routed.add(service);
    for (const part of parts) content.set(part.key, part);
  }
  for (const listener of isGrpc ? [] : open) {
    const { part, services } = routesOn(state, listener, { profile, memory });
    for (const service of services) routed.add(service);
    const opened = memory.listeners.of(listener, profile, [], () => partOf(deriveListener(state, listener)));
    content.set(opened.key, opened).set(part.key, part);
  }
  for (const name of routed) {
    const service = state.get("service", name);
    if (service === undefined) continue;
    const from = [effectivePolicy(state, name).policy];
    const cluster = isGrpc
      ? memory.grpcClusters.of(service, profile, from, () => partOf(deriveGrpcCluster(state, service, profile)))
      : memory.clusters.of(service, profile, from, () => partOf(deriveCluster(state, service, profile)));
    const endpoints = cache.endpointsOf(view, name);
    content.set(cluster.key, cluster).set(endpoints.key, endpoints);
  }
  return content;
}

interface Making {
  readonly profile: Profile;
  readonly memory: Memory;
}

/** Made from the routes, from which of their services exist, and from what these are hashed by. */
function routesOn(state: State, listener: HttpListener, { profile, memory }: Making): DerivedRoutes {
  const { routes, from } = routedOn(state, listener, (service) => service !== undefined);
  return memory.routes.of(listener, profile, from, () => deriveRoutes(state, listener, { routes, profile }));
}

/** The same, and from what their services speak. */
function callsOn(state: State, listener: GrpcListener, { profile, memory }: Making): DerivedCalls {
  const { routes, from } = routedOn(state, listener, (service) => service?.protocol);
  return memory.calls.of(listener, profile, from, () => deriveCalls(state, listener, { routes, profile }));
}

function routedOn(state: State, { name }: Listener, about: (service: Service | undefined) => unknown) {
  const routes = [...state.referring("route", "listener", name)];
  const from: unknown[] = [...routes];
  for (const service of new Set(routes.flatMap(destinationsOf))) {
    from.push(about(state.get("service", service)), effectivePolicy(state, service).policy);
  }
  return { routes, from };
}
