import { type Kind, type Name, serviceOf } from "../../domain/name.ts";
import { isLinked } from "../../domain/references.ts";
import type { ObjectOf, RecordOf, State } from "../../domain/state.ts";

export interface OverlayChange<K extends Kind = Kind> {
  readonly kind: K;
  readonly name: Name;
  /** Undefined: deleted. */
  readonly object: ObjectOf[K] | undefined;
}

/**
 * A state as it would be after some changes, without making them.
 *
 * @param records Records of kinds that have only one.
 */
export function overlay(base: State, changes: Iterable<OverlayChange>, records: Partial<RecordOf> = {}): State {
  const changed = new Map<Kind, Map<Name, ObjectOf[Kind] | undefined>>();
  for (const { kind, name, object } of changes) {
    const ofKind = changed.get(kind) ?? new Map<Name, ObjectOf[Kind] | undefined>();
    changed.set(kind, ofKind.set(name, object));
  }
  const get = <K extends Kind>(kind: K, name: Name): ObjectOf[K] | undefined => {
    const ofKind = changed.get(kind);
    return ofKind?.has(name) === true ? (ofKind.get(name) as ObjectOf[K] | undefined) : base.get(kind, name);
  };
  function* merge<K extends Kind>(kind: K, present: Iterable<ObjectOf[K]>, belongs: (object: ObjectOf[K]) => boolean) {
    const ofKind = changed.get(kind) as Map<Name, ObjectOf[K] | undefined> | undefined;
    for (const object of present) if (ofKind?.has(object.name) !== true) yield object;
    for (const object of ofKind?.values() ?? []) if (object !== undefined && belongs(object)) yield object;
  }
  return {
    get,
    all: (kind) => merge(kind, base.all(kind), () => true),
    referring: (kind, to, name) =>
      merge(kind, base.referring(kind, to, name), (object) => isLinked(kind, object, to, name)),
    backendsOf: (service) => merge("backend", base.backendsOf(service), ({ name }) => serviceOf(name) === service),
    record: (kind, name) => (name === undefined ? records[kind] : undefined) ?? base.record(kind, name),
    planeAddresses: base.planeAddresses,
    healthOf: (backend) => merge("health", base.healthOf(backend), ({ backend: of }) => of === backend),
  };
}
