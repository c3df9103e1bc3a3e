import { type Name, OBJECT_KEYS, type ObjectId, parseStoreKey, serviceOfKey } from "../domain/name.ts";
import type { Gives } from "../schema/kinds/kind-entry.ts";
import { ENTRIES } from "../schema/kinds/registry.ts";
import type { Revision } from "../store/revision.ts";
import type { RecordProblem } from "./stored-record.ts";

/** What is derived from a record, as far as its key tells, whether it can be read or not. */
export interface Dependents {
  /** `everything` for an object of a kind that only a later release knows: anything may come from it. */
  readonly of: Gives | "everything";
  /** The name of the service if the key lies below one. */
  readonly name: Name;
}

/**
 * How much of what comes from a record is kept back. `all`: a proxy gets none of it, since a later release may have put a
 * protection there. `changes`: a proxy keeps what it may have of it, and one that has none of it is sent what can be derived
 * without the record. `nothing`: what was derived before is still derived.
 */
export type Withheld = "all" | "changes" | "nothing";

/** A stored record that cannot be read, or not all of it. */
export interface SetAside extends RecordProblem {
  readonly key: string;
  /** The revision of its last write, which guards its removal. */
  readonly revision: Revision;
  readonly dependents: Dependents;
  readonly withheld: Withheld;
  /** Whether the readable part of it counts; otherwise what was there before counts, if anything. */
  readonly isUsed: boolean;
  /** The object that it holds or should hold, if its key names one. */
  readonly object: ObjectId | undefined;
}

export interface Circumstances {
  readonly isUsed: boolean;
  /** Whether earlier content of it is there and counts. */
  readonly isKept: boolean;
  /** Whether it was found when the state was read, rather than written while this plane followed the log. */
  readonly isFound: boolean;
}

/** Sets a record aside. Nothing was ever derived from garbage that arrives while a plane runs, so nothing is kept back for it. */
export function setAside(
  { key, revision, problem }: { readonly key: string; readonly revision: Revision; readonly problem: RecordProblem },
  { isUsed, isKept, isFound }: Circumstances,
): SetAside {
  const dependents = dependentsOf(key, problem);
  const isHarmless = dependents.of === "nothing" || (!problem.isNewer && (isKept || !isFound));
  const withheld = isHarmless ? "nothing" : problem.isNewer ? "all" : "changes";
  return { ...problem, key, revision, dependents, withheld, isUsed, object: parseStoreKey(key) };
}

function dependentsOf(key: string, { isNewer }: RecordProblem): Dependents {
  if (!key.startsWith(OBJECT_KEYS)) return { of: "nothing", name: "" };
  const object = parseStoreKey(key);
  const service = serviceOfKey(key);
  if (object !== undefined) return { of: ENTRIES[object.kind].gives, name: service ?? object.name };
  // What a later release put below a service may be its protection.
  if (service !== undefined) return { of: isNewer ? "cluster" : "endpoints", name: service };
  return { of: isNewer ? "everything" : "nothing", name: "" };
}
