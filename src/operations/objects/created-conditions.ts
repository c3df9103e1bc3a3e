import type { Condition } from "../../domain/condition.ts";
import { ControlPlaneError } from "../../domain/errors.ts";
import { isPart, type Kind, type Name, serviceOf, serviceOfObject } from "../../domain/name.ts";
import type { State } from "../../domain/state.ts";
import type { Pace } from "../../runtime/pace.ts";
import type { Gives } from "../../schema/kinds/kind-entry.ts";
import { ENTRIES } from "../../schema/kinds/registry.ts";
import type { Context } from "../context.ts";
import { backendConditions, conditionsOfOthers } from "../observing/current-conditions.ts";
import type { PlannedChange } from "./change-message.ts";

export interface ObjectCondition {
  readonly kind: Kind;
  readonly name: Name;
  readonly condition: Condition;
}
/** What decides which fleets are led to which services. */
const LEADING: ReadonlySet<Gives> = new Set(["all of a fleet", "listener", "routes"]);

/** The most that one answer lists. */
const MAX_CONDITIONS = 100;

/**
 * What is wrong with objects after a change but was not before, in the order of kinds and names; at most 100 conditions.
 * Looks only where the change can reach: a backend affects no conditions but those of its own service's backends.
 */
export async function createdConditions(
  { mirror: before, conditions }: Pick<Context, "mirror" | "conditions">,
  after: State,
  changes: readonly PlannedChange[],
  pace: Pick<Pace, "breathe">,
): Promise<ObjectCondition[]> {
  const changed = changes.filter(({ action }) => action !== "unchanged");
  const created: ObjectCondition[] = [];
  const note = (kind: Kind, name: Name, was: readonly Condition[], is: readonly Condition[]) => {
    for (const condition of is) {
      if (created.length < MAX_CONDITIONS && !was.some((one) => isSame(one, condition)))
        created.push({ kind, name, condition });
    }
  };
  if (!changed.every(({ kind }) => isPart(kind))) {
    const was = conditions.ofOthers();
    for (const [id, is] of conditionsOfOthers(after, conditions.rules)) {
      const [kind, name] = partsOf(id);
      note(kind, name, was.get(id) ?? [], is);
    }
  }
  const [was, is] = [backendConditions(before), backendConditions(after)];
  for (const service of reachedServices(after, changed)) {
    await pace.breathe();
    for (const { name } of after.backendsOf(service)) note("backend", name, was(name), is(name));
  }
  return created;
}

/** @param changes First of the request's objects, in their order, then of what is pruned. */
export function createsConditions(
  conditions: readonly ObjectCondition[],
  changes: readonly PlannedChange[],
): ControlPlaneError {
  const violations = conditions.map(({ kind, name, condition }) => {
    const at = changes.findIndex(
      (change) => change.kind === kind && change.name === name && change.action !== "delete",
    );
    const message = `${condition.reason}: ${condition.message}`;
    return at < 0 ? { field: `${kind} ${name}`, message } : { field: `objects[${at}]`, message };
  });
  return new ControlPlaneError({
    kind: "precondition",
    code: "CREATES_CONDITIONS",
    message: `this would create problems (${conditions.length} of them), which strict forbids`,
    violations,
  });
}

/** Which backends a fleet leaves out follows from fleets, listeners and routes. */
function reachedServices(after: State, changed: readonly PlannedChange[]): ReadonlySet<Name> {
  if (changed.some(({ kind }) => LEADING.has(ENTRIES[kind].gives)))
    return new Set(Array.from(after.all("backend"), ({ name }) => serviceOf(name)));
  return new Set(changed.flatMap(({ kind, name }) => serviceOfObject(kind, name) ?? []));
}

function partsOf(id: string): readonly [kind: Kind, name: Name] {
  const at = id.indexOf("/");
  return [id.slice(0, at) as Kind, id.slice(at + 1)];
}

function isSame(a: Condition, b: Condition): boolean {
  return a.type === b.type && a.reason === b.reason && a.message === b.message;
}
