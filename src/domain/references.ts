import {
  backendOf,
  KINDS,
  type Kind,
  type Name,
  namesake,
  type ObjectId,
  PARENT_KIND,
  parentOf,
  serviceOf,
} from "./name.ts";
import { effectivePolicyName } from "./routing-state.ts";
import type { ObjectOf, State } from "./state.ts";

/** The objects that an object names, by their kind. */
type References<K extends Kind> = { readonly [T in Kind]?: (object: ObjectOf[K]) => readonly Name[] };

/** References that are wrong where their target does not exist. */
const REFERENCES: { readonly [K in Kind]: References<K> } = {
  service: { policy: ({ policy }) => (policy === undefined ? [] : [policy]) },
  listener: { fleet: ({ fleet }) => [fleet] },
  backend: { service: ({ name }) => [serviceOf(name)] },
  route: {
    listener: ({ listeners }) => listeners,
    service: ({ rules }) => rules.flatMap(({ to }) => to.map(({ service }) => service)),
  },
  policy: {},
  fleet: {},
  // A verdict on a missing backend counts for nothing: it is not reported, and it prevents no removal.
  health: {},
};

/** References that count where their target exists, even for an object that does not name it. */
const IMPLIED: { readonly [K in Kind]?: References<K> } = {
  service: { policy: (service) => [effectivePolicyName(service)] },
};

/** Which kinds refer to which. */
export const REFERRING = (Object.keys(REFERENCES) as Kind[]).flatMap((kind) => {
  const targets = Object.keys(REFERENCES[kind]) as Kind[];
  return targets.length === 0 ? [] : [{ kind, targets }];
});

/** The kinds that each kind is linked to, besides the one that it is a part of. */
const LINKED = Object.fromEntries(
  KINDS.map((kind) => [kind, (Object.keys(REFERENCES[kind]) as Kind[]).filter((to) => to !== PARENT_KIND[kind])]),
) as unknown as { readonly [K in Kind]: readonly Kind[] };

/** The objects of one kind that an object itself names, each as often as it does; a missing one is wrong. */
export function referencesOf<K extends Kind>(kind: K, object: ObjectOf[K], target: Kind): readonly Name[] {
  return REFERENCES[kind][target]?.(object) ?? [];
}

/** All that an object is linked to, by its fields or by its name; some may not exist, or occur more than once. */
export function linksOf<K extends Kind>(kind: K, object: ObjectOf[K]): readonly ObjectId[] {
  const whole = parentOf({ kind, name: object.name });
  const links = whole === undefined ? [] : [whole];
  for (const to of LINKED[kind]) {
    const names = IMPLIED[kind]?.[to]?.(object) ?? referencesOf(kind, object, to);
    for (const name of names) links.push({ kind: to, name });
  }
  return links;
}

/** Whether an object is linked to another one. */
export function isLinked<K extends Kind>(kind: K, object: ObjectOf[K], to: Kind, name: Name): boolean {
  return linksOf(kind, object).some((one) => one.kind === to && one.name === name);
}

/** The parts of an object, without the parts of those parts. */
export function partsOfObject(state: State, { kind, name }: ObjectId): readonly ObjectId[] {
  const parts = KINDS.filter((part) => PARENT_KIND[part] === kind);
  return parts.flatMap((part) =>
    Array.from(state.referring(part, kind, name), (one) => ({ kind: part, name: one.name })),
  );
}

/** The objects that would be left dangling without this one, its parts last. */
export function referrersOf(state: State, { kind, name }: ObjectId): readonly ObjectId[] {
  const referring = REFERRING.filter(({ targets }) => targets.includes(kind)).map((one) => one.kind);
  const partsLast = referring.toSorted((a, b) => Number(PARENT_KIND[a] === kind) - Number(PARENT_KIND[b] === kind));
  return partsLast.flatMap((one) =>
    Array.from(state.referring(one, kind, name))
      .filter((object) => referencesOf(one, object, kind).includes(name))
      .map((object) => ({ kind: one, name: object.name })),
  );
}

/** An object that a commit wrote or deleted, as it was before; the state has it as it is now. */
export interface ChangedObject<K extends Kind = Kind> extends ObjectId<K> {
  readonly before: ObjectOf[K] | undefined;
}

/** What must be derived anew. */
export interface Concern {
  /** All that the proxies of these fleets get. */
  readonly fleets: Set<Name>;
  /** The endpoints of these services, for whichever fleets lead to them. */
  readonly services: Set<Name>;
}

/**
 * Adds what changes concern: whatever refers to the changed objects, up to the fleets. Where a commit changes both an object and
 * one that referred to it, the latter is a change of its own, so it is enough to follow references as they are now.
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
    // Rules hash by the policy with a service's name even where there is no such service.
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
