import { type Kind, type Name, storeKey } from "../domain/name.ts";
import type { ObjectId } from "../domain/references.ts";
import type { State } from "../domain/state.ts";
import type { StoreOp } from "../store/state-store.ts";
import type { StoredState } from "./stored-state.ts";

/** The operations that remove an object with what belongs to it. */
export function planRemoval(state: StoredState, kind: Kind, name: Name): StoreOp[] {
  return withParts(state, { kind, name }).flatMap((id) => removalOf(state, id));
}

/** An object and what goes with it: a backend's verdicts, a service's backends. */
export function withParts(state: State, id: ObjectId): ObjectId[] {
  if (id.kind === "service") {
    const backends = Array.from(state.backendsOf(id.name), ({ name }): ObjectId => ({ kind: "backend", name }));
    return [id, ...backends.flatMap((backend) => withParts(state, backend))];
  }
  if (id.kind === "backend") {
    return [id, ...Array.from(state.healthOf(id.name), ({ name }): ObjectId => ({ kind: "health", name }))];
  }
  return [id];
}

export function removalOf(state: StoredState, { kind, name }: ObjectId): StoreOp[] {
  const stored = state.stored(kind, name);
  if (stored === undefined) return [];
  // A verdict that changes meanwhile is no reason to keep it.
  return [{ op: "delete", key: storeKey(kind, name), guard: kind === "health" ? "any" : stored.revision }];
}
