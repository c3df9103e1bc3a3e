import { backendJudge } from "../domain/backend-networks.ts";
import type { Fleet } from "../domain/fleet.ts";
import { type FleetBackends, fleetBackends } from "../domain/fleet-backends.ts";
import { fleetListeners, routesByListener } from "../domain/fleet-listeners.ts";
import { profileOf } from "../domain/fleet-profile.ts";
import { ledsOf } from "../domain/leds.ts";
import type { Name } from "../domain/name.ts";
import { routingState } from "../domain/routing-state.ts";
import type { State } from "../domain/state.ts";
import { deriveCluster } from "./cluster.ts";
import { deriveEndpoints } from "./endpoints.ts";
import { deriveLeds, type LedsEndpoints } from "./leds.ts";
import { deriveListener } from "./listener.ts";
import type { Resource } from "./resource.ts";
import { deriveRoutes } from "./route-configuration.ts";
import type { FeatureLevel } from "./view.ts";

/** A service's endpoints as the proxies of a fleet are told of them. */
export interface ServiceEndpoints {
  /** All in one resource. */
  readonly whole: Resource;
  /** One at a time, for proxies that can take it, where the service is delivered so. */
  readonly leds: LedsEndpoints | undefined;
}

/** Whether a service is delivered by LEDS does not depend on the fleet. */
export function deriveServiceEndpoints(state: State, backends: FleetBackends): ServiceEndpoints {
  const record = ledsOf(state, backends.whole);
  const { profile } = state;
  return {
    whole: deriveEndpoints(backends.routing, profile),
    leds: record && deriveLeds(backends, record, profile),
  };
}

/** Which proxies a derivation is for. */
export interface View extends Pick<Fleet, "name"> {
  /** Default `base`: all of them. */
  readonly level?: FeatureLevel;
}

/**
 * Everything that the proxies of a fleet are to have: its listeners, what is routed on them, and the services that this
 * leads to. Total (law 9): what refers to nothing or lost a conflict is left out or answers 503, and nothing else changes.
 *
 * @param endpointsOf The endpoints of a service, where the caller keeps them; otherwise they are derived here.
 * @returns each type and name once, in no stated order, and the services
 */
export function deriveFleet(
  state: State,
  { name: fleet, level = "base" }: View,
  endpointsOf: (service: Name) => ServiceEndpoints = endpointsFrom(state, fleet),
): { readonly resources: readonly Resource[]; readonly services: readonly Name[] } {
  const profile = profileOf(state, fleet);
  const resources: Resource[] = [];
  const routed = new Set<Name>();
  const routes = routesByListener(state);
  for (const listener of fleetListeners(state).get(fleet)?.open ?? []) {
    const derived = deriveRoutes(state, listener, { routes: routes.get(listener.name) ?? [], profile });
    for (const service of derived.services) routed.add(service);
    resources.push(deriveListener(state, listener), derived.resource);
  }
  const services = [...routed].flatMap((name) => state.get("service", name) ?? []);
  for (const service of services) {
    const { whole, leds } = endpointsOf(service.name);
    resources.push(deriveCluster(state, service, profile));
    if (level === "leds" && leds !== undefined) resources.push(leds.assignment, ...leds.members.values());
    else resources.push(whole);
  }
  return { resources, services: services.map(({ name }) => name) };
}

function endpointsFrom(state: State, fleet: Name): (service: Name) => ServiceEndpoints {
  const judge = backendJudge(state.get("fleet", fleet)?.backendNetworks ?? [], state.planeAddresses);
  return (service) => deriveServiceEndpoints(state, fleetBackends(routingState(state, service), judge));
}
