import type { Violation } from "../domain/errors.ts";
import type { Health } from "../domain/health.ts";
import { KINDS, type Kind, type Name, serviceOf, storeKey } from "../domain/name.ts";
import { nextTurn } from "../runtime/next-turn.ts";
import { encodeStored } from "../schema/stored-object.ts";
import type { GivenObject, PlannedImport } from "./imported-object.ts";
import { planImported } from "./imported-object.ts";
import type { Stamp } from "./next-meta.ts";
import { badFields } from "./object-errors.ts";
import type { StoredState } from "./stored-state.ts";

/** Objects that are planned in one go before others have their turn. */
const AT_ONCE = 500;

export interface ImportPlan {
  /** The objects that are given, in their order. */
  readonly planned: readonly PlannedImport[];
  /** Objects that are there and not given; no verdicts. */
  readonly removed: readonly { readonly kind: Kind; readonly name: Name }[];
  /** Verdicts that stay although the import does not decide them. */
  readonly kept: readonly { readonly key: string; readonly value: Uint8Array }[];
}

/**
 * Decides what the whole state is after an import. An operator's override is what the import says; a verdict that was found
 * by checks or reports stays as it is known here for a backend that stays, since what a file knows of it is older.
 *
 * @param uid Gives the uid of an object that has none.
 * @param networksForNewFleets What the plane gives fleets that are new and name none.
 * @throws ControlPlaneError `invalid` / `INVALID_FIELD` for a backend without its service.
 */
export async function planImport(
  state: StoredState,
  given: readonly GivenObject[],
  { uid, now, networksForNewFleets }: Pick<Stamp, "now" | "networksForNewFleets"> & { readonly uid: () => string },
): Promise<ImportPlan> {
  checkServices(given);
  const names = new Set(given.map(({ kind, name }) => `${kind} ${name}`));
  const uids = new Map<Name, string>();
  const planned: PlannedImport[] = [];
  // Backends before the verdicts on them.
  const inOrder = given.toSorted((a, b) => Number(a.kind === "health") - Number(b.kind === "health"));
  for (const [i, object] of inOrder.entries()) {
    if (i % AT_ONCE === AT_ONCE - 1) await new Promise<void>((resolve) => nextTurn(resolve));
    const { kind, name } = object;
    const before = state.stored(kind, name);
    if (kind === "health") {
      const { backend, source } = object.object as Health;
      if (!names.has(`backend ${backend}`)) continue;
      if (source !== "override" && isLive(state, name, uids)) continue;
    }
    const stamp: Stamp = { uid: uid(), requestId: "", now, ...(networksForNewFleets && { networksForNewFleets }) };
    const one = planImported(object, before, stamp);
    planned.push(one);
    if (kind === "backend") uids.set(name, object.message.meta?.uid ?? "");
  }
  return { planned, removed: removedOf(state, names), kept: keptVerdicts(state, uids) };
}

/** Whether a verdict is there already, on the backend that is there after the import too. */
function isLive(state: StoredState, name: Name, uids: ReadonlyMap<Name, string>): boolean {
  const verdict = state.get("health", name);
  if (verdict === undefined) return false;
  const backend = state.get("backend", verdict.backend);
  return backend !== undefined && uids.get(verdict.backend) === backend.meta.uid;
}

function keptVerdicts(state: StoredState, uids: ReadonlyMap<Name, string>) {
  return Array.from(state.all("health"))
    .filter(({ name, source }) => source !== "override" && isLive(state, name, uids))
    .flatMap(({ name }) => {
      const stored = state.stored("health", name);
      if (stored === undefined) return [];
      return [{ key: storeKey("health", name), value: encodeStored("health", stored.whole) }];
    });
}

function removedOf(state: StoredState, names: ReadonlySet<string>) {
  return KINDS.filter((kind) => kind !== "health").flatMap((kind) =>
    Array.from(state.all(kind), ({ name }) => ({ kind, name })).filter(({ name }) => !names.has(`${kind} ${name}`)),
  );
}

function checkServices(given: readonly GivenObject[]): void {
  const services = new Set(given.filter(({ kind }) => kind === "service").map(({ name }) => name));
  const violations = given.flatMap(({ kind, name }, i): Violation[] => {
    if (kind !== "backend" || services.has(serviceOf(name))) return [];
    return [{ field: `objects[${i}].name`, message: `the service ${serviceOf(name)} is not among the objects` }];
  });
  if (violations.length > 0) throw badFields(violations);
}
