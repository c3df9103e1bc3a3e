import { isSame, type Resource, type ResourceKey, type View } from "./resource.ts";
import type { Registry } from "./resource-types.ts";
import { SparseMap } from "./sparse.ts";
import { targetOf } from "./target.ts";
import type { TypePlan, Wait } from "./type-plan.ts";
import type { TypeReading, TypeReadings } from "./type-state.ts";

/** Another resource that must move first. It is waited for without bound when it is itself kept back on purpose. */
export type Gate = { readonly on: ResourceKey; readonly bounded: boolean };

/**
 * The reference that must be live at the client before this resource may name it, if any. Only what this client
 * subscribes to, and what exists, is worth waiting for: other clusters may be static, or asked for later.
 *
 * @see xDS protocol, "Eventual consistency considerations", and R2
 */
export function upsertGate(
  { registry, states, view }: { registry: Registry; states: TypeReadings; view: View },
  state: TypeReading,
  resource: Resource,
): Gate | undefined {
  if (isSame(state.sent.get(resource.name), resource)) return undefined;
  for (const on of resource.references) {
    if (!state.type.waitsFor.includes(on.typeUrl)) continue;
    const other = states.get(on.typeUrl);
    if (!other?.requested) {
      if (isExpected(registry, states, on.typeUrl) && view.get(on.typeUrl, on.name)) return { on, bounded: true };
      continue;
    }
    if (!targetOf(other, view, on.name)) continue;
    if (!other.isLive(on.name)) return { on, bounded: !other.held.has(on.name) };
  }
  return undefined;
}

/** A type that this client has not asked for only because something of it is warming: it will (R4). */
function isExpected(registry: Registry, states: TypeReadings, typeUrl: string): boolean {
  const companions = registry.byTypeUrl.get(typeUrl)?.companions ?? [];
  return companions.some((companion) => states.get(companion)?.precedesParent);
}

/** Who may still refer to resources of one type while not being where it should be. */
export type Referrers = { readonly byName: ReadonlyMap<string, Gate>; readonly unreadable: Gate | undefined };

/**
 * Collects what the client may be running that is about to be replaced, by the name it refers to. What is unreadable
 * (known by its version only) may refer to anything. A referrer that is where it should be blocks nothing: then the
 * caller means the reference to dangle.
 *
 * @param plan What is decided of the type itself already
 */
export function referrersOf(
  { registry, states, view }: { registry: Registry; states: TypeReadings; view: View },
  { type: { typeUrl } }: TypeReading,
  plan: Pick<TypePlan, "held" | "waits">,
): Referrers {
  const byName = new Map<string, Gate>();
  let unreadable: Gate | undefined;
  for (const type of registry.ordered) {
    const state = states.get(type.typeUrl);
    if (!state || (type.typeUrl !== typeUrl && !type.waitsFor.includes(typeUrl))) continue;
    for (const name of state.possibleNames()) {
      if (state.isSettledAt(name, targetOf(state, view, name))) continue;
      const gate = {
        on: { typeUrl: type.typeUrl, name },
        bounded: !state.refused.has(name) && !isKept(state, type.typeUrl === typeUrl ? plan : NO_PLAN, name),
      };
      for (const known of state.possible(name)) {
        if (known.hash === undefined) {
          if (type.typeUrl !== typeUrl) unreadable = gate;
        } else {
          for (const reference of known.references) if (reference.typeUrl === typeUrl) byName.set(reference.name, gate);
        }
      }
    }
  }
  return { byName, unreadable };
}

/** Whether a resource is kept back on purpose, or waits for one that is. */
export function isKept(state: TypeReading, plan: Pick<TypePlan, "held" | "waits">, name: string): boolean {
  return state.held.has(name) || plan.held.has(name) || waitOf(state, plan, name)?.bounded === false;
}

/** The wait of a resource as it will be once a plan is followed. */
export function waitOf(state: TypeReading, { waits }: Pick<TypePlan, "waits">, name: string): Wait | undefined {
  return waits.get(name) ?? state.waits.get(name);
}

const NO_PLAN: Pick<TypePlan, "held" | "waits"> = { held: new SparseMap(), waits: new SparseMap() };
