import { ControlPlaneError } from "../../domain/errors.ts";
import { type Name, type ObjectId, parentOf, serviceOfObject } from "../../domain/name.ts";
import { referrersOf } from "../../domain/references.ts";
import type { State, Writes } from "../../domain/state.ts";
import { APPLIED_KINDS, type AppliedKind, ENTRIES } from "../../schema/kinds/registry.ts";
import { checkServing } from "../membership/last-eligible.ts";
import { notFoundCode } from "../object-errors.ts";
import type { PlannedPut } from "../writing/plan-put.ts";
import { stillReferredTo } from "./delete-object.ts";
import { checkRemoval } from "./removal-brake.ts";

/** An object of the order, and its place there. */
export interface PlacedPut {
  readonly kind: AppliedKind;
  readonly planned: PlannedPut<AppliedKind>;
  /** `objects[3].`: the prefix of a field's path in errors. */
  readonly place: string;
}

export interface ApplyStep {
  readonly before: State;
  readonly after: State;
  readonly puts: readonly PlacedPut[];
  readonly removed: readonly ObjectId[];
  readonly allowRemoval: boolean;
}

/**
 * Refuses what the state forbids.
 *
 * @throws ControlPlaneError `notFound` / `SERVICE_NOT_FOUND`; `precondition` / `ADDRESS_IN_USE`; and unless removal is
 * allowed, `precondition` / `REMOVAL_TOO_LARGE`, `NO_BACKEND_LEFT` or `STILL_REFERRED_TO`.
 */
export function checkApply(step: ApplyStep): void {
  checkWholes(step);
  checkKinds(step);
  if (step.allowRemoval) return;
  checkBrake(step);
  checkServing(step, touchedServices(step));
  checkReferences(step);
}

/** A part must belong to an object that exists. */
function checkWholes({ after, puts }: ApplyStep): void {
  const orphans = puts.flatMap(({ kind, planned, place }) => {
    const whole = parentOf({ kind, name: planned.name });
    if (whole === undefined || after.get(whole.kind, whole.name) !== undefined) return [];
    const message = `there is no ${whole.kind} ${whole.name}, and the request does not contain it`;
    return { kind: whole.kind, violation: { field: `${place}name`, message } };
  });
  const [first] = orphans;
  if (first === undefined) return;
  throw new ControlPlaneError({
    kind: "notFound",
    code: notFoundCode(first.kind),
    message: first.violation.message,
    violations: orphans.map(({ violation }) => violation),
  });
}

function checkKinds({ before, after, puts }: ApplyStep): void {
  for (const kind of APPLIED_KINDS) {
    const own = puts.filter((put) => put.kind === kind);
    if (own.length === 0) continue;
    checkWrites(kind, { before, after, puts: own.map(({ planned, place }) => ({ object: planned.object, place })) });
  }
}

/** Refuses what is forbidden for objects of one kind. */
function checkWrites<K extends AppliedKind>(kind: K, writes: Writes<K>): void {
  ENTRIES[kind].check?.(writes);
}

function checkBrake({ before, after, removed, puts }: ApplyStep): void {
  if (removed.length === 0 && !puts.some(({ kind }) => ENTRIES[kind].lastOf !== undefined)) return;
  checkRemoval(before, after);
}

/** Services whose members, or the checks of them, change. */
function touchedServices({ before, puts, removed }: ApplyStep): Name[] {
  const changed = puts.flatMap(({ kind, planned: { name, op } }) =>
    op !== undefined && before.get(kind, name) !== undefined ? { kind, name } : [],
  );
  return [...changed, ...removed].flatMap(({ kind, name }) => serviceOfObject(kind, name) ?? []);
}

function checkReferences({ after, removed }: ApplyStep): void {
  for (const id of removed) {
    const referrers = referrersOf(after, id);
    if (referrers.length > 0) throw stillReferredTo(id.kind, id.name, referrers, "allow removal");
  }
}
