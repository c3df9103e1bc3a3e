import type { Backend } from "./backend.ts";
import { type BackendJudge, backendJudge } from "./backend-networks.ts";
import { shareAddresses } from "./fleet-listeners.ts";
import type { Name } from "./name.ts";
import { destinationsOf } from "./route.ts";
import type { RoutingState } from "./routing-state.ts";
import type { State } from "./state.ts";

/** A backend that the proxies of a fleet are not told about. */
export interface LeftOut {
  readonly backend: Backend;
  readonly why: string;
}

/** A service's backends as the proxies of one fleet may have them: the view filters them, after the routing state. */
export interface FleetBackends {
  /** With all of the service's backends, whatever the fleet. */
  readonly whole: RoutingState;
  /** With the backends that are not left out; `whole` itself where none is. */
  readonly routing: RoutingState;
  readonly leftOut: readonly LeftOut[];
}

export function fleetBackends(whole: RoutingState, judge: BackendJudge): FleetBackends {
  const leftOut = leftOutOf(
    whole.backends.flatMap(({ backend, status }) => (status === undefined ? [] : [backend])),
    judge,
  );
  if (leftOut.length === 0) return { whole, routing: whole, leftOut };
  const outside = new Set(leftOut.map(({ backend }) => backend));
  const backends = whole.backends.filter(({ backend }) => !outside.has(backend));
  return { whole, routing: { ...whole, backends }, leftOut };
}

export function leftOutOf(backends: Iterable<Backend>, judge: BackendJudge): readonly LeftOut[] {
  const leftOut: LeftOut[] = [];
  for (const backend of backends) {
    const why = judge(backend.target);
    if (why !== undefined) leftOut.push({ backend, why });
  }
  return leftOut;
}

/** What each fleet that leads to a service leaves out of it; fleets that leave out nothing are absent. */
export function leftOutByFleet(
  state: State,
  service: Name,
  fleets: ReturnType<typeof fleetsByService> = fleetsByService(state),
): ReadonlyMap<Name, readonly LeftOut[]> {
  const found = new Map<Name, readonly LeftOut[]>();
  for (const fleet of fleets.get(service) ?? []) {
    const networks = state.get("fleet", fleet)?.backendNetworks ?? [];
    const leftOut = leftOutOf(state.backendsOf(service), backendJudge(networks, state.planeAddresses));
    if (leftOut.length > 0) found.set(fleet, leftOut);
  }
  return found;
}

/** The fleets that lead to each service, by name. */
export function fleetsByService(state: State): ReadonlyMap<Name, readonly Name[]> {
  const fleets = new Map<Name, Set<Name>>();
  for (const { name: fleet } of state.all("fleet")) {
    const { open, grpc } = shareAddresses(state.referring("listener", "fleet", fleet));
    const leading = grpc === undefined ? open : [...open, grpc];
    const routes = leading.flatMap(({ name }) => [...state.referring("route", "listener", name)]);
    for (const service of routes.flatMap(destinationsOf)) {
      fleets.set(service, (fleets.get(service) ?? new Set()).add(fleet));
    }
  }
  return new Map([...fleets].map(([service, names]) => [service, [...names].toSorted()]));
}
