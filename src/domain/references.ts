import { type Kind, type Name, type ObjectId, type PartKind, parentKind, serviceOf } from "./name.ts";
import type { ObjectOf, State } from "./state.ts";

/** The objects that one names, by their kind. */
type References<K extends Kind> = { readonly [T in Kind]?: (object: ObjectOf[K]) => readonly Name[] };

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
  // A verdict on nothing counts for nothing: nobody is told of it, and it keeps nothing from being removed.
  health: {},
};

/** The parts of one object, of each kind of parts. */
const PARTS: { readonly [K in PartKind]: (state: State, whole: Name) => Iterable<ObjectOf[K]> } = {
  backend: (state, service) => state.backendsOf(service),
  health: (state, backend) => state.healthOf(backend),
};

/** Which kinds refer to which. */
export const REFERRING = (Object.keys(REFERENCES) as Kind[]).flatMap((kind) => {
  const targets = Object.keys(REFERENCES[kind]) as Kind[];
  return targets.length === 0 ? [] : [{ kind, targets }];
});

/** What an object refers to of one kind, as often as it does. */
export function referencesOf<K extends Kind>(kind: K, object: ObjectOf[K], target: Kind): readonly Name[] {
  return REFERENCES[kind][target]?.(object) ?? [];
}

/** The parts of an object, without the parts of these. */
export function partsOfObject(state: State, { kind, name }: ObjectId): readonly ObjectId[] {
  const parts = (Object.keys(PARTS) as PartKind[]).filter((part) => parentKind(part) === kind);
  return parts.flatMap((part) => {
    const all: Iterable<ObjectOf[PartKind]> = PARTS[part](state, name);
    return Array.from(all, (one) => ({ kind: part, name: one.name }));
  });
}

/** The objects that would be left dangling without this one, its parts the last. */
export function referrersOf(state: State, { kind, name }: ObjectId): readonly ObjectId[] {
  const referring = REFERRING.filter(({ targets }) => targets.includes(kind)).map((one) => one.kind);
  const others = referring.filter((one) => parentKind(one) !== kind);
  return [
    ...others.flatMap((one) =>
      Array.from(state.all(one))
        .filter((object) => referencesOf(one, object, kind).includes(name))
        .map((object) => ({ kind: one, name: object.name })),
    ),
    ...partsOfObject(state, { kind, name }).filter((part) => referring.includes(part.kind)),
  ];
}
