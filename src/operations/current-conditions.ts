import type { Mirror } from "../control/mirror.ts";
import { type Conditions, conditions } from "../domain/conditions.ts";
import { type Revision, sameRevision } from "../store/revision.ts";

const known = new WeakMap<Mirror, { readonly revision: Revision; readonly conditions: Conditions }>();

/** The conditions of the state as the mirror has it now: derived once a revision, and only when somebody asks. */
export function currentConditions(mirror: Mirror): Conditions {
  const newest = known.get(mirror);
  if (newest !== undefined && sameRevision(newest.revision, mirror.revision)) return newest.conditions;
  const derived = { revision: mirror.revision, conditions: conditions(mirror) };
  known.set(mirror, derived);
  return derived.conditions;
}
