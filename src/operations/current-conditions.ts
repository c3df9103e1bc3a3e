import type { Mirror } from "../control/mirror.ts";
import type { Condition } from "../domain/condition.ts";
import { type Conditions, conditions, conditionsOf } from "../domain/conditions.ts";
import { type Kind, type Name, serviceOf } from "../domain/name.ts";
import type { State } from "../domain/state.ts";
import { type Revision, sameRevision } from "../store/revision.ts";

/** What was derived last of everything but backends, for as long as the revision stands. */
const known = new WeakMap<Mirror, { readonly revision: Revision; readonly conditions: Conditions }>();

/**
 * The conditions of single objects of the state as it is now, without deriving those of all: what is told of a backend
 * follows from its service's backends, and nothing that is told of another object follows from any backend.
 */
export function currentConditions(mirror: Mirror): (kind: Kind, name: Name) => readonly Condition[] {
  const ofServices = new Map<Name, Conditions>();
  return (kind, name) => {
    if (kind !== "backend") return conditionsOf(ofOthers(mirror), kind, name);
    const service = serviceOf(name);
    const derived = ofServices.get(service) ?? conditions(onlyBackendsOf(mirror, service));
    ofServices.set(service, derived);
    return conditionsOf(derived, kind, name);
  };
}

function ofOthers(mirror: Mirror): Conditions {
  const newest = known.get(mirror);
  if (newest !== undefined && sameRevision(newest.revision, mirror.revision)) return newest.conditions;
  const derived = conditions(limited(mirror, (kind) => (kind === "backend" ? [] : mirror.all(kind))));
  known.set(mirror, { revision: mirror.revision, conditions: derived });
  return derived;
}

function onlyBackendsOf(state: State, service: Name): State {
  return limited(state, (kind) => (kind === "backend" ? state.backendsOf(service) : []));
}

/** The same state, where a reader that goes through all objects of a kind sees only some. */
function limited(state: State, all: (kind: Kind) => Iterable<unknown>): State {
  return {
    get: (kind, name) => state.get(kind, name),
    all: (kind) => all(kind) as Iterable<never>,
    backendsOf: (service) => state.backendsOf(service),
    healthOf: (backend) => state.healthOf(backend),
    profile: state.profile,
    leds: (service) => state.leds(service),
  };
}
