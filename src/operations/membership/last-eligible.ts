import type { Backend } from "../../domain/backend.ts";
import { type Name, serviceOf, storeKey } from "../../domain/name.ts";
import { routingState } from "../../domain/routing-state.ts";
import type { State } from "../../domain/state.ts";
import type { BatchGuard } from "../../store/state-store.ts";
import { precondition } from "../object-errors.ts";
import type { StoredState } from "../writing/stored-state.ts";

/**
 * Refuses what would leave a service that stays, and has backends that get requests now, without any.
 *
 * @throws ControlPlaneError `precondition` / `NO_BACKEND_LEFT`.
 */
export function checkServing({ before, after }: { before: State; after: State }, services: Iterable<Name>): void {
  const silenced = [...new Set(services)].filter(
    (service) =>
      after.get("service", service) !== undefined &&
      eligibleBackends(after, service).length === 0 &&
      eligibleBackends(before, service).length > 0,
  );
  if (silenced.length === 0) return;
  const named = silenced.join(", ");
  const message = `this would leave service ${named} without an eligible backend, and its clients would get 503; allow removal if that is intended`;
  throw precondition("NO_BACKEND_LEFT", message, { services: named });
}

/**
 * Checks that taking one backend out of rotation leaves another, and returns what the commit must rest on: that the other
 * one is not written meanwhile. So if two drains or removals at the same time each take out the last backend that the other
 * leaves, one is planned anew. Overrides do not write the backend itself, and go unnoticed.
 */
export function othersServe(before: StoredState, after: State, backend: Name): BatchGuard | undefined {
  const service = serviceOf(backend);
  checkServing({ before, after }, [service]);
  const others = eligibleBackends(after, service);
  // Not always the first: many backends that leave at the same time would all rest on the same one.
  const other = others.find(({ name }) => name > backend) ?? others[0];
  const stored = other === undefined ? undefined : before.stored("backend", other.name);
  return stored === undefined ? undefined : { key: storeKey("backend", stored.object.name), revision: stored.revision };
}

function eligibleBackends(state: State, service: Name): readonly Backend[] {
  return routingState(state, service).backends.flatMap(({ backend, eligibility }) =>
    eligibility.eligible ? backend : [],
  );
}
