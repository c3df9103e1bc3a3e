import { isPart, type Kind, type Name, parentOf, pluralOf } from "../../domain/name.ts";
import { referencesOf } from "../../domain/references.ts";
import type { State } from "../../domain/state.ts";
import { APPLIED_KINDS, ENTRIES } from "../../schema/kinds/registry.ts";
import { precondition } from "../object-errors.ts";

/** More than one object and more than this share of them are not removed by accident. */
const REMOVAL_LIMIT_RATIO = 0.3;

/** Why a removal needs to be allowed explicitly, for people; empty when it does not. */
export function removalBrake(before: State, after: State): readonly string[] {
  return [
    ...APPLIED_KINDS.flatMap((kind) => removedByWhole(before, after, kind)),
    ...APPLIED_KINDS.flatMap((kind) => removedByKind(before, after, kind)),
    ...APPLIED_KINDS.flatMap((kind) => lostLast(before, after, kind)),
  ];
}

/** @throws ControlPlaneError `precondition` / `REMOVAL_TOO_LARGE`. */
export function checkRemoval(before: State, after: State): void {
  const reasons = removalBrake(before, after);
  if (reasons.length === 0) return;
  const message = `this would remove ${reasons.join(", ")} (limit ${REMOVAL_LIMIT_RATIO * 100} %); allow removal if that is intended`;
  throw precondition("REMOVAL_TOO_LARGE", message, { removes: reasons.join("; ") });
}

interface Count {
  all: number;
  removed: number;
}

/** For the parts of one object, such as the backends of a service. */
function removedByWhole(before: State, after: State, kind: Kind): string[] {
  if (!isPart(kind)) return [];
  const counts = countRemoved(before, after, kind, (name) => {
    const whole = parentOf({ kind, name });
    return `${whole?.kind} ${whole?.name}`;
  });
  return [...counts].flatMap(([whole, count]) =>
    isTooMuch(count) ? [`${count.removed} of ${count.all} ${pluralOf(kind)} of ${whole}`] : [],
  );
}

function removedByKind(before: State, after: State, kind: Kind): string[] {
  return [...countRemoved(before, after, kind, () => kind).values()].flatMap((count) =>
    isTooMuch(count) ? [`${count.removed} of ${count.all} objects of kind ${kind}`] : [],
  );
}

function countRemoved(
  before: State,
  after: State,
  kind: Kind,
  groupOf: (name: Name) => string,
): ReadonlyMap<string, Count> {
  const counts = new Map<string, Count>();
  for (const { name } of before.all(kind)) {
    const group = groupOf(name);
    const count = counts.get(group) ?? { all: 0, removed: 0 };
    counts.set(group, count);
    count.all++;
    if (after.get(kind, name) === undefined) count.removed++;
  }
  return counts;
}

function lostLast(before: State, after: State, kind: Kind): string[] {
  const { lastOf } = ENTRIES[kind];
  if (lastOf === undefined) return [];
  const referredTo = (state: State): ReadonlySet<Name> =>
    new Set(Array.from(state.all(kind)).flatMap((object) => referencesOf(kind, object, lastOf)));
  const kept = referredTo(after);
  return [...referredTo(before)].filter((one) => !kept.has(one)).map((one) => `the last ${kind} of ${lastOf} ${one}`);
}

function isTooMuch({ all, removed }: Count): boolean {
  return removed > 1 && removed > all * REMOVAL_LIMIT_RATIO;
}
