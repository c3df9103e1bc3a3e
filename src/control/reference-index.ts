import type { Kind, Name } from "../domain/name.ts";
import { linksOf } from "../domain/references.ts";
import type { ObjectOf } from "../domain/state.ts";

/** The objects of a kind that refer to a name: by that name, then by their own. */
type Relation<K extends Kind = Kind> = Map<Name, Map<Name, ObjectOf[K]>>;

/** Which objects refer to which; kept up to date as objects come and go, to save searching all of them. */
export class ReferenceIndex {
  readonly #relations = new Map<Kind, Map<Kind, Relation>>();

  /** How objects of one kind refer to those of another; the returned map is live. */
  relation<K extends Kind>(kind: K, to: Kind): Relation<K> {
    const ofKind = this.#relations.get(kind) ?? new Map<Kind, Relation>();
    this.#relations.set(kind, ofKind);
    const relation = ofKind.get(to) ?? (new Map() as Relation);
    ofKind.set(to, relation);
    return relation as unknown as Relation<K>;
  }

  write<K extends Kind>(kind: K, before: ObjectOf[K] | undefined, after: ObjectOf[K] | undefined): void {
    if (after !== undefined) this.#put(kind, after);
    if (before !== undefined) this.#drop(kind, before);
  }

  #put<K extends Kind>(kind: K, object: ObjectOf[K]): void {
    for (const { kind: to, name } of linksOf(kind, object)) {
      const relation = this.relation(kind, to);
      const own = relation.get(name);
      if (own === undefined) relation.set(name, new Map([[object.name, object]]));
      else own.set(object.name, object);
    }
  }

  /** Leaves an entry alone if the object's successor is already in its place. */
  #drop<K extends Kind>(kind: K, object: ObjectOf[K]): void {
    for (const { kind: to, name } of linksOf(kind, object)) {
      const relation = this.relation(kind, to);
      const own = relation.get(name);
      if (own?.get(object.name) !== object) continue;
      own.delete(object.name);
      if (own.size === 0) relation.delete(name);
    }
  }
}
