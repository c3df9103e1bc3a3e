import type { FlushContext } from "./flush-context.ts";
import { isSame, type Resource, type ResourceKey } from "./resource.ts";
import type { ResourceType } from "./resource-types.ts";
import { isLive, isSettledAt, possible, possibleNames } from "./running.ts";
import { targetOf } from "./target.ts";
import type { TypePlan, Wait, WaitCause } from "./type-plan.ts";
import type { TypeReading } from "./type-state.ts";

/** Another resource that must move first. */
export type Gate = Pick<Wait, "on" | "cause">;

/**
 * The reference that must be live at the client before this resource may name it, if any. Only what this client
 * subscribes to, and what exists, is worth waiting for: other clusters may be static, or asked for later. What the
 * client's present content already names breaks nothing more, and keeps nothing back.
 *
 * @see xDS protocol, "Eventual consistency considerations", and xds R2
 */
export function upsertGate(context: FlushContext, state: TypeReading, resource: Resource): Gate | undefined {
  const present = state.sent.get(resource.name);
  if (isSame(present, resource)) return undefined;
  let named: ReadonlySet<string> | undefined;
  for (const on of resource.references) {
    if (!state.type.waitsFor.includes(on.typeUrl)) continue;
    const gate = gateOn(context, on);
    if (gate === undefined) continue;
    named ??= new Set(present?.references?.map(textOf));
    if (!named.has(textOf(on))) return gate;
  }
  return undefined;
}

function gateOn(context: FlushContext, on: ResourceKey): Gate | undefined {
  const { states, served } = context;
  const other = states.get(on.typeUrl);
  if (!other?.requested) {
    return isExpected(context, on.typeUrl) && served.get(on.typeUrl, on.name) ? { on, cause: "progress" } : undefined;
  }
  if (!targetOf(other, served, on.name) || isLive(other, on.name)) return undefined;
  return { on, cause: other.held.has(on.name) ? "held" : "progress" };
}

/** Why a resource has not gone yet, once the plan of its type, if there is one, has been followed. */
export function causeOf(state: TypeReading, name: string, plan?: TypePlan): WaitCause {
  if (state.held.has(name) || plan?.held.has(name)) return "held";
  return (plan?.waits.get(name) ?? state.waits.get(name))?.cause ?? "progress";
}

function textOf({ typeUrl, name }: ResourceKey): string {
  return `${typeUrl} ${name}`;
}

/** Whether the client has not asked for a type only because something of it is warming: it will ask (xds R4). */
function isExpected({ settings: { registry }, states }: FlushContext, typeUrl: string): boolean {
  const companions = registry.byTypeUrl.get(typeUrl)?.companions ?? [];
  return companions.some((companion) => states.get(companion)?.precedesParent);
}

/** Whether resources of a type are removed only after those of this parent that refer to them have gone, or moved on. */
export function leavesBefore(
  parent: Pick<ResourceType, "typeUrl" | "waitsFor">,
  { typeUrl, removedAfter }: Pick<ResourceType, "typeUrl" | "removedAfter">,
): boolean {
  return parent.waitsFor.includes(typeUrl) || removedAfter?.includes(parent.typeUrl) === true;
}

/** What may still refer to resources of one type, but is not what the client should have. */
export type Referrers = { readonly byName: ReadonlyMap<string, Gate>; readonly unreadable: Gate | undefined };

/**
 * Collects what the client may be running that is about to be replaced, by the name it refers to. What is unreadable
 * (known only by its version) may refer to anything. A referrer that is as it should be blocks nothing: then the
 * reference is meant to dangle.
 *
 * @param plan What is already decided for the type itself
 */
export function referrersOf(
  { settings: { registry }, states, served }: FlushContext,
  { type: own }: TypeReading,
  plan: TypePlan,
): Referrers {
  const { typeUrl } = own;
  const byName = new Map<string, Gate>();
  let unreadable: Gate | undefined;
  for (const type of registry.ordered) {
    const state = states.get(type.typeUrl);
    if (!state || (type.typeUrl !== typeUrl && !leavesBefore(type, own))) continue;
    for (const name of possibleNames(state)) {
      if (isSettledAt(state, name, targetOf(state, served, name))) continue;
      const cause = state.refused.has(name)
        ? "refused"
        : causeOf(state, name, type.typeUrl === typeUrl ? plan : undefined);
      const gate = { on: { typeUrl: type.typeUrl, name }, cause } as const;
      for (const known of possible(state, name)) {
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

/**
 * What a removal has to wait for once the parent that it waited for last has moved on: the resource to which that one leads
 * now, if it exists, since until it is there the client may go on with what it had (xds R28).
 */
export function successorOf({ states, served }: FlushContext, state: TypeReading, name: string): Gate | undefined {
  const { typeUrl, removedAfter } = state.type;
  const on = state.waits.get(name)?.on;
  if (on === undefined || removedAfter === undefined) return undefined;
  const led = on.typeUrl === typeUrl ? [on] : (states.get(on.typeUrl)?.sent.get(on.name)?.references ?? []);
  const awaited = led.find((to) => to.typeUrl === typeUrl && served.get(typeUrl, to.name) && !isLive(state, to.name));
  return awaited && { on: awaited, cause: state.refused.has(awaited.name) ? "refused" : causeOf(state, awaited.name) };
}
