import type { Violation } from "../../domain/errors.ts";
import { KINDS, type Kind, type ObjectId, parentOf, storeKey } from "../../domain/name.ts";
import type { ObjectOf } from "../../domain/state.ts";
import type { Pace } from "../../runtime/pace.ts";
import { APPLIED_KINDS, ENTRIES, isApplied } from "../../schema/kinds/registry.ts";
import { encodeStored } from "../../schema/stored-object.ts";
import { badFields } from "../object-errors.ts";
import type { Stamp } from "../writing/next-meta.ts";
import type { StoredState } from "../writing/stored-state.ts";
import type { GivenObject, PlannedImport } from "./imported-object.ts";
import { planImported } from "./imported-object.ts";

export interface ImportPlan {
  /** What is planned for the given objects, observations last. */
  readonly planned: readonly PlannedImport[];
  /** Objects that exist and are not given; no observations. */
  readonly removed: readonly ObjectId[];
  /** Observations that stay although the import does not decide them. */
  readonly kept: readonly { readonly key: string; readonly value: Uint8Array }[];
}

/** The uids of the objects after an import, by `kind name`; empty until the object is planned. */
type Given = Map<string, string>;

/**
 * Decides what the whole state is after an import. An operator's override becomes what the import says; a verdict from
 * checks or reports stays as it is known here for a backend that stays, since the one in the file is older.
 *
 * @param uid Gives the uid of an object that has none.
 * @param networksForNewFleets What the plane gives new fleets that name none.
 * @throws ControlPlaneError `invalid` / `INVALID_FIELD` for a backend without its service.
 */
export async function planImport(
  state: StoredState,
  given: readonly GivenObject[],
  { uid, now, networksForNewFleets }: Pick<Stamp, "now" | "networksForNewFleets"> & { readonly uid: () => string },
  pace: Pick<Pace, "breathe">,
): Promise<ImportPlan> {
  const uids: Given = new Map(given.map((object) => [idOf(object), ""]));
  checkWholes(given, uids);
  const planned: PlannedImport[] = [];
  // Observations come after the objects that they are about.
  const inOrder = given.toSorted((a, b) => Number(isApplied(b.kind)) - Number(isApplied(a.kind)));
  for (const object of inOrder) {
    await pace.breathe();
    const { kind, name } = object;
    if (!isApplied(kind)) {
      if (!isPartOfGiven(object, uids)) continue;
      if (!isImported<Kind>(kind, object.object) && isLive(state, object, uids)) continue;
    }
    const stamp: Stamp = { uid: uid(), requestId: "", now, ...(networksForNewFleets && { networksForNewFleets }) };
    planned.push(planImported(object, state.stored(kind, name), stamp));
    uids.set(idOf(object), object.message.meta?.uid ?? "");
  }
  return { planned, removed: removedOf(state, uids), kept: keptObservations(state, uids) };
}

function idOf({ kind, name }: ObjectId): string {
  return `${kind} ${name}`;
}

function isPartOfGiven(id: ObjectId, uids: Given): boolean {
  const whole = parentOf(id);
  return whole === undefined || uids.has(idOf(whole));
}

function isImported<K extends Kind>(kind: K, object: ObjectOf[K]): boolean {
  return ENTRIES[kind].isImported?.(object) === true;
}

/** Whether an observation exists already, and its object exists after the import too. */
function isLive(state: StoredState, id: ObjectId, uids: Given): boolean {
  if (state.get(id.kind, id.name) === undefined) return false;
  const whole = parentOf(id);
  const before = whole && state.get(whole.kind, whole.name);
  return before !== undefined && whole !== undefined && uids.get(idOf(whole)) === before.meta.uid;
}

function keptObservations(state: StoredState, uids: Given): ImportPlan["kept"] {
  return KINDS.filter((kind) => !isApplied(kind)).flatMap((kind) =>
    Array.from(state.all(kind))
      .filter((object) => !isImported(kind, object) && isLive(state, { kind, name: object.name }, uids))
      .flatMap(({ name }) => {
        const stored = state.stored(kind, name);
        return stored === undefined ? [] : { key: storeKey(kind, name), value: encodeStored(kind, stored.whole) };
      }),
  );
}

function removedOf(state: StoredState, uids: Given): ObjectId[] {
  return APPLIED_KINDS.flatMap((kind) =>
    Array.from(state.all(kind), ({ name }) => ({ kind, name })).filter((id) => !uids.has(idOf(id))),
  );
}

function checkWholes(given: readonly GivenObject[], uids: Given): void {
  const violations = given.flatMap((object, i): Violation[] => {
    const whole = isApplied(object.kind) ? parentOf(object) : undefined;
    if (whole === undefined || uids.has(idOf(whole))) return [];
    const message = `the ${whole.kind} ${whole.name} is not among the objects`;
    return [{ field: `objects[${i}].name`, message }];
  });
  if (violations.length > 0) throw badFields(violations);
}
