import { isSame, type Resource, type Served } from "./resource.ts";
import { collectionOf, isNobody, parseGlob } from "./resource-name.ts";
import { possible, possibleNames } from "./running.ts";
import type { TypeReading, TypeReadings } from "./type-state.ts";

/** What one name needs, before holds and waits are considered: this resource, its removal, or nothing. */
export type Need = Resource | "removal" | "nothing";

/** What the client should have under this name, or undefined. */
export function targetOf(state: TypeReading, served: Served, name: string): Resource | undefined {
  const resource = served.get(state.type.typeUrl, name);
  if (!resource) return undefined;
  return state.subscription.covers(resource.name, resource.aliases) || state.behind.has(name) ? resource : undefined;
}

/** Whether the client may be running something, even if on its way out, that refers to this resource. */
export type ReferredTo = (name: string) => boolean;

/** Compares what a client should have with what it has. */
export function needOf(state: TypeReading, served: Served, name: string, isReferredTo: ReferredTo): Need {
  const target = targetOf(state, served, name);
  const known = state.sent.get(name);
  if (target) {
    const satisfied =
      isSame(known, target) && !state.forced.has(name) && !state.unknown.has(name) && !state.gone.has(name);
    return satisfied ? "nothing" : target;
  }
  const collection = state.type.collections ? collectionOf(name) : undefined;
  if (collection !== undefined && served.isRetired(state.type.typeUrl, collection)) return "nothing";
  if (state.forced.has(name)) return absentNeed(state, served, name, isReferredTo);
  const possible = known !== undefined || state.unknown.has(name);
  return possible && state.type.removal === "explicit" ? "removal" : "nothing";
}

/**
 * The answer for a name that was asked for and does not exist ("Knowing When a Requested Resource Does Not Exist").
 * The endpoint set of an existing cluster is never answered by a removal: that would empty the cluster (xds R8).
 */
function absentNeed(state: TypeReading, served: Served, name: string, isReferredTo: ReferredTo): Need {
  const { type } = state;
  if (type.namespaced && isNobody(name)) return "removal";
  if (parseGlob(name)) {
    const populated = Iterator.from(served.members(type.typeUrl, name)).some(() => true);
    return populated ? "nothing" : "removal";
  }
  const known = state.sent.get(name);
  if (type.removal === "never" && known) return known.hash === undefined ? "nothing" : known;
  const wanted =
    type.absent === "placeholder" ||
    (type.absent === "placeholder-if-referenced" &&
      (state.orphansAreEmpty || served.isReferenced(type.typeUrl, name) || isReferredTo(name)));
  return (wanted ? served.placeholder(type.typeUrl, name) : undefined) ?? "removal";
}

/** Collects what the client's parents of a type refer to, once, when the first name is checked. */
export function referredToByClient(states: TypeReadings, typeUrl: string): ReferredTo {
  let referred: Set<string> | undefined;
  return (name) => {
    referred ??= new Set(namesReferredTo(states, typeUrl));
    return referred.has(name);
  };
}

function* namesReferredTo(states: TypeReadings, typeUrl: string): Generator<string> {
  for (const parent of states.values()) {
    if (!parent.type.companions.includes(typeUrl)) continue;
    for (const name of possibleNames(parent)) {
      for (const { references } of possible(parent, name)) {
        for (const reference of references ?? []) if (reference.typeUrl === typeUrl) yield reference.name;
      }
    }
  }
}

/** The names that this subscription leads to, some perhaps twice, including requested names that do not exist. */
export function* entitledNames(state: TypeReading, served: Served): Generator<string> {
  const { subscription, type } = state;
  if (subscription.wildcard) for (const { name } of served.list(type.typeUrl)) yield name;
  for (const collection of subscription.globs.keys()) {
    for (const { name } of served.members(type.typeUrl, collection)) yield name;
  }
  for (const name of subscription.names) yield served.get(type.typeUrl, name)?.name ?? name;
}
