import type { Mirror } from "../../control/mirror.ts";
import type { Condition } from "../../domain/condition.ts";
import { type Conditions, conditions, conditionsOf } from "../../domain/conditions.ts";
import { fleetsByService, leftOutByFleet } from "../../domain/fleet-backends.ts";
import { isPart, type Kind, type Name, serviceOf } from "../../domain/name.ts";
import type { JudgedRules } from "../../domain/never-matched.ts";
import type { State } from "../../domain/state.ts";
import { firstFew } from "../first-few.ts";

/** How many fleets one condition quotes. */
const QUOTED = 3;

/**
 * The conditions of the present state. Those of everything but backends are kept until something else than a backend or a
 * verdict changes: no condition of theirs follows from these. Those of a backend follow from its service's backends and from
 * fleets.
 */
export class CurrentConditions {
  /** What was found about the rules; it also serves for states that share most of them. */
  readonly rules: JudgedRules = new WeakMap();
  readonly #mirror: Mirror;
  #ofOthers: Conditions | undefined;

  constructor(mirror: Mirror) {
    this.#mirror = mirror;
    mirror.onFold(({ changed }) => {
      if (changed.some(({ kind }) => !isPart(kind))) this.#ofOthers = undefined;
    });
  }

  /** The conditions of everything but backends. */
  ofOthers(): Conditions {
    this.#ofOthers ??= conditionsOfOthers(this.#mirror, this.rules);
    return this.#ofOthers;
  }

  /** Reads the conditions of single objects, without deriving those of all backends. */
  reader(): (kind: Kind, name: Name) => readonly Condition[] {
    const ofBackends = backendConditions(this.#mirror);
    return (kind, name) => (isPart(kind) ? ofBackends(name) : conditionsOf(this.ofOthers(), kind, name));
  }
}

/** The conditions of single backends of a state, derived service by service. */
export function backendConditions(state: State): (backend: Name) => readonly Condition[] {
  const ofServices = new Map<Name, (backend: Name) => readonly Condition[]>();
  let fleets: ReturnType<typeof fleetsByService> | undefined;
  const ofService = (service: Name) => {
    fleets ??= fleetsByService(state);
    const derived = conditionsOfBackends(state, service);
    const leftOut = leftOutConditions(state, service, fleets);
    return (backend: Name) => [...conditionsOf(derived, "backend", backend), ...(leftOut.get(backend) ?? [])];
  };
  return (name) => {
    const service = serviceOf(name);
    const known = ofServices.get(service) ?? ofService(service);
    ofServices.set(service, known);
    return known(name);
  };
}

/** The conditions of everything but backends. */
export function conditionsOfOthers(state: State, rules: JudgedRules): Conditions {
  const others = limited(state, (kind) => (isPart(kind) ? [] : state.all(kind)));
  return conditions(others, rules);
}

/** A backend that some fleets leave out has one condition that says which fleets, and why. */
function leftOutConditions(
  state: State,
  service: Name,
  fleets: ReturnType<typeof fleetsByService>,
): ReadonlyMap<Name, readonly Condition[]> {
  const told = new Map<Name, { why: string; fleets: Name[] }>();
  for (const [fleet, leftOut] of leftOutByFleet(state, service, fleets)) {
    for (const { backend, why } of leftOut) {
      const known = told.get(backend.name) ?? { why, fleets: [] };
      told.set(backend.name, known);
      known.fleets.push(fleet);
    }
  }
  return new Map(
    [...told].map(([backend, { why, fleets: by }]) => {
      const message = `left out by fleet ${firstFew(by, QUOTED, String, ", ")}: ${why}`;
      return [backend, [{ type: "Accepted", ok: false, reason: "OutsideNetworks", message } as const]];
    }),
  );
}

/** The conditions of a service's backends that follow from the others. */
export function conditionsOfBackends(state: State, service: Name): Conditions {
  return conditions(onlyBackendsOf(state, service));
}

function onlyBackendsOf(state: State, service: Name): State {
  const all: { readonly [K in Kind]?: () => Iterable<unknown> } = { backend: () => state.backendsOf(service) };
  return limited(state, (kind) => all[kind]?.() ?? []);
}

/** The same state, except that a reader of all objects of a kind sees only some of them. */
function limited(state: State, all: (kind: Kind) => Iterable<unknown>): State {
  return {
    get: (kind, name) => state.get(kind, name),
    all: (kind) => all(kind) as Iterable<never>,
    referring: (kind, to, name) => state.referring(kind, to, name),
    backendsOf: (service) => state.backendsOf(service),
    healthOf: (backend) => state.healthOf(backend),
    record: (kind, name) => state.record(kind, name),
    planeAddresses: state.planeAddresses,
  };
}
