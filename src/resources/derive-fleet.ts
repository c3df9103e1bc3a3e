import type { Fleet } from "../domain/fleet.ts";
import { fleetListeners, routesByListener } from "../domain/fleet-listeners.ts";
import type { Name } from "../domain/name.ts";
import { routingState } from "../domain/routing-state.ts";
import type { State } from "../domain/state.ts";
import { deriveCluster } from "./cluster.ts";
import { deriveEndpoints } from "./endpoints.ts";
import { deriveListener } from "./listener.ts";
import type { Resource } from "./resource.ts";
import { deriveRoutes } from "./route-configuration.ts";

/**
 * Everything that the proxies of a fleet are to have: its listeners, what is routed on them, and the services that this
 * leads to. Total (law 9): what refers to nothing or lost a conflict is left out or answers 503, and nothing else changes.
 *
 * @param endpointsOf The endpoint set of a service, where the caller keeps them; otherwise they are derived here.
 * @returns each type and name once, in no stated order
 */
export function deriveFleet(
  state: State,
  fleet: Pick<Fleet, "name">,
  endpointsOf: (service: Name) => Resource = (service) => deriveEndpoints(routingState(state, service)),
): { readonly resources: readonly Resource[] } {
  const resources: Resource[] = [];
  const services = new Set<Name>();
  const routes = routesByListener(state);
  for (const listener of fleetListeners(state).get(fleet.name)?.open ?? []) {
    const derived = deriveRoutes(state, listener, routes.get(listener.name) ?? []);
    for (const service of derived.services) services.add(service);
    resources.push(deriveListener(listener), derived.resource);
  }
  for (const name of services) {
    const service = state.get("service", name);
    if (service !== undefined) resources.push(deriveCluster(state, service), endpointsOf(name));
  }
  return { resources };
}
