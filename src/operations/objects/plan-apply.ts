import { ControlPlaneError, type Violation } from "../../domain/errors.ts";
import { formatName, type ObjectId, parseName } from "../../domain/name.ts";
import type { State } from "../../domain/state.ts";
import type { AnyObject } from "../../gen/fairlead/admin/v1/apply_pb.ts";
import type { Pace } from "../../runtime/pace.ts";
import { APPLIED_KINDS, type AppliedKind, isApplied } from "../../schema/kinds/registry.ts";
import type { StoreOp } from "../../store/state-store.ts";
import { badField, badFields } from "../object-errors.ts";
import type { Stamp } from "../writing/next-meta.ts";
import { overlay } from "../writing/overlay-state.ts";
import { type PlannedPut, type Put, planPut } from "../writing/plan-put.ts";
import { removalOf, withObservations } from "../writing/plan-removal.ts";
import type { StoredState } from "../writing/stored-state.ts";
import type { PlannedChange } from "./change-message.ts";
import { type ApplyStep, checkApply, type PlacedPut } from "./check-apply.ts";

export interface ApplyOrder {
  readonly objects: readonly AnyObject[];
  /** The set that the objects belong to from now on; empty leaves each where it is. */
  readonly owner: string;
  readonly prune: boolean;
  readonly allowRemoval: boolean;
  /** Objects that belong to another set stay there. */
  readonly keepOwners: boolean;
}

export interface ApplyPlan {
  readonly changes: readonly PlannedChange[];
  readonly ops: readonly StoreOp[];
  /** The state as it would be after the change. */
  readonly after: State;
}

/**
 * Decides which writes bring the state to what is ordered: reads the state, changes nothing. It goes object by object, so
 * others can go on meanwhile: what changes under it breaks the guards of the writes that it plans.
 *
 * @throws ControlPlaneError `invalid` with every bad field of every object; see `checkApply` for what the state refuses.
 */
export async function planApply(
  state: StoredState,
  order: ApplyOrder,
  stamp: Stamp,
  pace: Pick<Pace, "breathe">,
): Promise<ApplyPlan> {
  if (order.prune && order.owner === "")
    throw badField("owner", "must be given to prune: only objects of the same owner are deleted");
  const puts = await planPuts(state, order, stamp, pace);
  const removed = order.prune ? pruned(state, order.owner, puts) : [];
  return planChange(state, { puts, removed, allowRemoval: order.allowRemoval });
}

/** Decides on a change of many objects once it is known what is put and what is removed. @throws ControlPlaneError as `checkApply`. */
export function planChange(state: StoredState, change: Omit<ApplyStep, "before" | "after">): ApplyPlan {
  const { puts, removed } = change;
  const after = overlay(state, [
    ...puts.map(({ kind, planned }) => ({ kind, name: planned.name, object: planned.object })),
    ...removed.map(({ kind, name }) => ({ kind, name, object: undefined })),
  ]);
  checkApply({ ...change, before: state, after });
  return {
    changes: [...puts.map((put) => changeOf(state, put)), ...removed.flatMap(deletion)],
    ops: [...puts.flatMap(({ planned }) => planned.op ?? []), ...removed.flatMap((id) => removalOf(state, id))],
    after,
  };
}

/** Plans every object, so that one answer lists the bad fields of all. */
async function planPuts(
  state: StoredState,
  order: ApplyOrder,
  stamp: Stamp,
  pace: Pick<Pace, "breathe">,
): Promise<PlacedPut[]> {
  const violations: Violation[] = [];
  const seen = new Map<string, number>();
  const puts: PlacedPut[] = [];
  for (const [i, { object }] of order.objects.entries()) {
    await pace.breathe();
    const place = `objects[${i}].`;
    if (object.case === undefined) {
      violations.push({ field: `objects[${i}]`, message: `must be one of ${APPLIED_KINDS.join(", ")}` });
      continue;
    }
    try {
      const planned = planOne(state, { kind: object.case, message: object.value, fieldPrefix: place }, order, stamp);
      const id = `${object.case} ${planned.name}`;
      const earlier = seen.get(id);
      if (earlier !== undefined)
        violations.push({ field: `${place}name`, message: `${id} is objects[${earlier}] already` });
      seen.set(id, i);
      puts.push({ kind: object.case, planned, place });
    } catch (error) {
      if (!(error instanceof ControlPlaneError) || error.violations.length === 0) throw error;
      violations.push(...error.violations);
    }
  }
  if (violations.length > 0) throw badFields(violations);
  return puts;
}

function planOne<K extends AppliedKind>(
  state: StoredState,
  { kind, message, fieldPrefix }: Pick<Put<K>, "kind" | "message" | "fieldPrefix">,
  { owner, keepOwners }: ApplyOrder,
  stamp: Stamp,
): PlannedPut<AppliedKind> {
  const parsed = parseName(kind, message.name);
  const before = parsed.ok ? state.stored(kind, formatName(kind, parsed.parts)) : undefined;
  const present = before?.message.meta?.owner ?? "";
  const staysThere = owner === "" || (keepOwners && present !== "");
  return planPut<K>({ kind, message, before, owner: staysThere ? present : owner, fieldPrefix }, stamp);
}

/**
 * The objects of the same owner that are not given. What others registered below a service is not the owner's to delete: it
 * counts as referring to the service.
 */
function pruned(state: State, owner: string, puts: readonly PlacedPut[]): ObjectId[] {
  const given = new Set(puts.map(({ kind, planned }) => `${kind} ${planned.name}`));
  return APPLIED_KINDS.flatMap((kind) =>
    Array.from(state.all(kind))
      .filter(({ name, meta }) => meta.owner === owner && !given.has(`${kind} ${name}`))
      .flatMap(({ name }) => withObservations(state, { kind, name })),
  );
}

function changeOf(state: State, { kind, planned: { name, op, fields } }: PlacedPut): PlannedChange {
  if (op === undefined) return { kind, name, action: "unchanged", fields };
  return { kind, name, action: state.get(kind, name) === undefined ? "create" : "update", fields };
}

function deletion({ kind, name }: ObjectId): PlannedChange[] {
  return isApplied(kind) ? [{ kind, name, action: "delete", fields: [] }] : [];
}
