import { ControlPlaneError, type Violation } from "../domain/errors.ts";
import type { Listener } from "../domain/listener.ts";
import { type Name, serviceOf } from "../domain/name.ts";
import type { ObjectId } from "../domain/references.ts";
import type { State } from "../domain/state.ts";
import { addressHolder, addressInUse, movesListener } from "./address-in-use.ts";
import type { AppliedKind } from "./any-object.ts";
import { stillReferredTo } from "./delete-object.ts";
import { checkServing } from "./last-eligible.ts";
import type { PlannedPut } from "./plan-put.ts";
import { referrersOf } from "./referrers.ts";
import { checkRemoval } from "./removal-brake.ts";

/** An object of the order, and where it stands there. */
export interface PlacedPut {
  readonly kind: AppliedKind;
  readonly planned: PlannedPut<AppliedKind>;
  /** `objects[3].`: what stands before the path of a field in errors. */
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
  checkServices(step);
  checkAddresses(step);
  if (step.allowRemoval) return;
  checkBrake(step);
  checkServing(step, touchedServices(step));
  checkReferences(step);
}

function checkServices({ after, puts }: ApplyStep): void {
  const orphans = puts.filter(
    ({ kind, planned }) => kind === "backend" && after.get("service", serviceOf(planned.name)) === undefined,
  );
  const violations = orphans.map(
    ({ planned, place }): Violation => ({
      field: `${place}name`,
      message: `there is no service ${serviceOf(planned.name)}, and none is given`,
    }),
  );
  const [first] = violations;
  if (first === undefined) return;
  throw new ControlPlaneError({ kind: "notFound", code: "SERVICE_NOT_FOUND", message: first.message, violations });
}

/** Where two arrive together on one address, derivation decides; one that was there before keeps it. */
function checkAddresses({ before, after, puts }: ApplyStep): void {
  const moved = new Map<Name, { listener: Listener; place: string }>();
  for (const { kind, planned, place } of puts) {
    if (kind !== "listener") continue;
    const listener = planned.object as Listener;
    if (movesListener(before.get("listener", listener.name), listener)) moved.set(listener.name, { listener, place });
  }
  if (moved.size === 0) return;
  const settled = [...after.all("listener")].filter(({ name }) => !moved.has(name));
  for (const { listener, place } of moved.values()) {
    const holder = addressHolder(settled, listener);
    if (holder !== undefined) throw addressInUse(listener, holder, `${place}address`);
  }
}

function checkBrake({ before, after, removed, puts }: ApplyStep): void {
  if (removed.length === 0 && !puts.some(({ kind }) => kind === "listener")) return;
  checkRemoval(before, after);
}

/** Services whose members, or whose checks of them, are not what they were. */
function touchedServices({ before, puts, removed }: ApplyStep): Name[] {
  const changed = puts.flatMap(({ kind, planned: { name, op } }) =>
    op !== undefined && (kind === "service" || kind === "backend") && before.get(kind, name) !== undefined
      ? { kind, name }
      : [],
  );
  return [...changed, ...removed].flatMap(({ kind, name }) =>
    kind === "backend" ? serviceOf(name) : kind === "service" ? name : [],
  );
}

function checkReferences({ after, removed }: ApplyStep): void {
  for (const { kind, name } of removed) {
    const referrers = referrersOf(after, kind, name);
    if (referrers.length > 0) throw stillReferredTo(kind, name, referrers, "allow removal");
  }
}
