import { backendOf, type Kind, type Name, namesake, serviceOf } from "./name.ts";
import { effectivePolicyName } from "./routing-state.ts";
import type { ObjectOf, Referring, State } from "./state.ts";

/** An object, whether it is there or not. */
export interface ObjectId<K extends Kind = Kind> {
  readonly kind: K;
  readonly name: Name;
}

const REFERENCES: { readonly [K in Kind]: (object: ObjectOf[K]) => readonly ObjectId[] } = {
  backend: ({ name }) => [{ kind: "service", name: serviceOf(name) }],
  health: ({ backend }) => [{ kind: "backend", name: backend }],
  listener: ({ fleet }) => [{ kind: "fleet", name: fleet }],
  route: ({ listeners, rules }) => [
    ...listeners.map((name) => ({ kind: "listener", name }) as const),
    ...rules.flatMap(({ to }) => to.map(({ service }) => ({ kind: "service", name: service }) as const)),
  ],
  service: (service) => [{ kind: "policy", name: effectivePolicyName(service) }],
  policy: () => [],
  fleet: () => [],
};

/** What an object refers to, by its words or by its name: some of it perhaps not there, or more than once. */
export function referencesOf<K extends Kind>(kind: K, object: ObjectOf[K]): readonly ObjectId[] {
  return REFERENCES[kind](object);
}

/** Whether an object refers to another one. */
export function refersTo<K extends keyof Referring>(
  kind: K,
  object: ObjectOf[K],
  to: Referring[K],
  name: Name,
): boolean {
  return referencesOf(kind, object).some((one) => one.kind === to && one.name === name);
}

/** An object that a commit wrote or deleted, as it was before; what it is now, the state says. */
export interface ChangedObject<K extends Kind = Kind> extends ObjectId<K> {
  readonly before: ObjectOf[K] | undefined;
}

/** What is to be derived anew. */
export interface Concern {
  /** All that the proxies of these fleets get. */
  readonly fleets: Set<Name>;
  /** The endpoints of these services, for whichever fleets lead to them. */
  readonly services: Set<Name>;
}

/**
 * Adds what changes concern: whatever refers to the changed objects, up to the fleets. Where a commit changes both an object and
 * what referred to it, the other one is a change of its own: it is enough to follow references as they are now.
 */
export function addConcern(concern: Concern, state: State, changed: Iterable<ChangedObject>): void {
  for (const change of changed) (FOLLOW[change.kind] as Follow)(state, change, concern);
}

type Follow<K extends Kind = Kind> = (state: State, change: ChangedObject<K>, concern: Concern) => void;

const FOLLOW: { readonly [K in Kind]: Follow<K> } = {
  fleet: (_, { name }, { fleets }) => fleets.add(name),
  listener: (state, { name, before }, { fleets }) => {
    for (const one of [before, state.get("listener", name)]) if (one !== undefined) fleets.add(one.fleet);
  },
  route: (state, { name, before }, { fleets }) => {
    for (const one of [before, state.get("route", name)]) addFleetsOf(state, one?.listeners ?? [], fleets);
  },
  service: (state, { name }, concern) => followService(state, name, concern),
  policy: (state, { name }, concern) => {
    // Rules hash by the policy of a service's name also where there is no such service.
    followService(state, namesake(name, "policy", "service"), concern);
    for (const service of state.referring("service", "policy", name)) followService(state, service.name, concern);
  },
  backend: (_, { name }, { services }) => services.add(serviceOf(name)),
  health: (_, { name }, { services }) => services.add(serviceOf(backendOf(name))),
};

function followService(state: State, name: Name, { fleets, services }: Concern): void {
  services.add(name);
  for (const { listeners } of state.referring("route", "service", name)) addFleetsOf(state, listeners, fleets);
}

function addFleetsOf(state: State, listeners: readonly Name[], fleets: Set<Name>): void {
  for (const name of listeners) {
    const listener = state.get("listener", name);
    if (listener !== undefined) fleets.add(listener.fleet);
  }
}
