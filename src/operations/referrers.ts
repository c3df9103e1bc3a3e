import type { Kind, Name } from "../domain/name.ts";
import type { Route } from "../domain/route.ts";
import type { State } from "../domain/state.ts";

export interface Referrer {
  readonly kind: Kind;
  readonly name: Name;
}

/** The objects that would be left dangling without this one; for a service also its backends. */
export function referrersOf(state: State, kind: Kind, name: Name): readonly Referrer[] {
  switch (kind) {
    case "service":
      return [
        ...routesThat(state, ({ rules }) => rules.some(({ to }) => to.some(({ service }) => service === name))),
        ...Array.from(state.backendsOf(name), (backend): Referrer => ({ kind: "backend", name: backend.name })),
      ];
    case "policy":
      return Array.from(state.all("service"))
        .filter(({ policy }) => policy === name)
        .map((service): Referrer => ({ kind: "service", name: service.name }));
    case "listener":
      return routesThat(state, ({ listeners }) => listeners.includes(name));
    case "fleet":
      return Array.from(state.all("listener"))
        .filter(({ fleet }) => fleet === name)
        .map((listener): Referrer => ({ kind: "listener", name: listener.name }));
    case "route":
    case "backend":
    case "health":
      return [];
  }
}

function routesThat(state: State, refers: (route: Route) => boolean): Referrer[] {
  return Array.from(state.all("route"))
    .filter(refers)
    .map((route): Referrer => ({ kind: "route", name: route.name }));
}
