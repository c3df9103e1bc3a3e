import type { Kind, Name } from "../domain/name.ts";
import type { ObjectId } from "../domain/references.ts";
import type { State } from "../domain/state.ts";

/** The objects that would be left dangling without this one; for a service also its backends. */
export function referrersOf(state: State, kind: Kind, name: Name): readonly ObjectId[] {
  switch (kind) {
    case "service":
      return [
        ...idsOf("route", state.referring("route", "service", name)),
        ...idsOf("backend", state.backendsOf(name)),
      ];
    case "policy":
      return idsOf("service", state.referring("service", "policy", name)).filter(
        (service) => state.get("service", service.name)?.policy === name,
      );
    case "listener":
      return idsOf("route", state.referring("route", "listener", name));
    case "fleet":
      return idsOf("listener", state.referring("listener", "fleet", name));
    case "route":
    case "backend":
    case "health":
      return [];
  }
}

function idsOf(kind: Kind, objects: Iterable<{ readonly name: Name }>): ObjectId[] {
  return Array.from(objects, ({ name }) => ({ kind, name }));
}
