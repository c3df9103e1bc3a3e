import { type Kind, type Name, type ObjectId, storeKey } from "../../domain/name.ts";
import { partsOfObject } from "../../domain/references.ts";
import type { State } from "../../domain/state.ts";
import { isApplied } from "../../schema/kinds/registry.ts";
import type { StoreOp } from "../../store/state-store.ts";
import type { StoredState } from "./stored-state.ts";

/** The operations that remove an object with what belongs to it. */
export function planRemoval(state: StoredState, kind: Kind, name: Name): StoreOp[] {
  return withParts(state, { kind, name }).flatMap((id) => removalOf(state, id));
}

/** An object and what goes with it: a backend's verdicts, a service's backends. */
export function withParts(state: State, id: ObjectId): ObjectId[] {
  return [id, ...partsOfObject(state, id).flatMap((part) => withParts(state, part))];
}

/** An object and what was only observed of it; parts that people wrote are for others to remove. */
export function withObservations(state: State, id: ObjectId): ObjectId[] {
  return [id, ...partsOfObject(state, id).filter(({ kind }) => !isApplied(kind))];
}

export function removalOf(state: StoredState, { kind, name }: ObjectId): StoreOp[] {
  const stored = state.stored(kind, name);
  if (stored === undefined) return [];
  // An observation that changes meanwhile is no reason to keep it.
  return [{ op: "delete", key: storeKey(kind, name), guard: isApplied(kind) ? stored.revision : "any" }];
}
