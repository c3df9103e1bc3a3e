import { ControlPlaneError } from "../domain/errors.ts";
import { type Kind, type Name, serviceOf } from "../domain/name.ts";
import type { State } from "../domain/state.ts";

/** More than one object and more than this share of them is not removed by accident. */
const REMOVAL_LIMIT_RATIO = 0.3;

/** Why a removal needs to be allowed explicitly, for people; empty when it does not. */
export function removalBrake(before: State, after: State): readonly string[] {
  return [...removedByService(before, after), ...removedByKind(before, after), ...lostListeners(before, after)];
}

/** @throws ControlPlaneError `precondition` / `REMOVAL_TOO_LARGE`. */
export function checkRemoval(before: State, after: State): void {
  const reasons = removalBrake(before, after);
  if (reasons.length === 0) return;
  throw new ControlPlaneError({
    kind: "precondition",
    code: "REMOVAL_TOO_LARGE",
    message: `this would remove ${reasons.join(", ")} (limit ${REMOVAL_LIMIT_RATIO * 100} %); allow removal if that is meant`,
    details: { removes: reasons.join("; ") },
  });
}

interface Count {
  all: number;
  removed: number;
}

function removedByService(before: State, after: State): string[] {
  const counts = new Map<Name, Count>();
  for (const { name } of before.all("backend")) {
    const service = serviceOf(name);
    const count = counts.get(service) ?? { all: 0, removed: 0 };
    counts.set(service, count);
    count.all++;
    if (after.get("backend", name) === undefined) count.removed++;
  }
  return [...counts].flatMap(([service, count]) =>
    isTooMuch(count) ? [`${count.removed} of ${count.all} backends of service ${service}`] : [],
  );
}

function removedByKind(before: State, after: State): string[] {
  return (["service", "policy", "backend", "listener", "route", "fleet"] as const).flatMap((kind) => {
    const count = countRemoved(before, after, kind);
    return isTooMuch(count) ? [`${count.removed} of ${count.all} objects of kind ${kind}`] : [];
  });
}

function countRemoved(before: State, after: State, kind: Kind): Count {
  const count = { all: 0, removed: 0 };
  for (const { name } of before.all(kind)) {
    count.all++;
    if (after.get(kind, name) === undefined) count.removed++;
  }
  return count;
}

function lostListeners(before: State, after: State): string[] {
  const kept = new Set(Array.from(after.all("listener"), ({ fleet }) => fleet));
  const had = new Set(Array.from(before.all("listener"), ({ fleet }) => fleet));
  return [...had].filter((fleet) => !kept.has(fleet)).map((fleet) => `the last listener of fleet ${fleet}`);
}

function isTooMuch({ all, removed }: Count): boolean {
  return removed > 1 && removed > all * REMOVAL_LIMIT_RATIO;
}
