import type { Report } from "./events.ts";
import { isSame, type Resource, type View } from "./resource.ts";
import { isInNamespace, nobodyIn, parseGlob } from "./resource-name.ts";
import type { Registry } from "./resource-types.ts";
import type { TypeState } from "./type-state.ts";

/**
 * Marks what must leave right behind a response: the endpoints (and secrets) of each new or changed parent in it,
 * changed or not (xds R3, R4, R25).
 */
export function markCompanions(
  stateOf: (typeUrl: string) => TypeState | undefined,
  view: View,
  parent: TypeState,
  resources: readonly Resource[],
): void {
  const { companions } = parent.type;
  if (companions.length === 0) return;
  for (const resource of resources) {
    const changed = !isSame(parent.sent.get(resource.name), resource) || parent.unknown.has(resource.name);
    if (!changed && !parent.behind.has(resource.name)) continue;
    for (const { typeUrl, name } of resource.references) {
      const state = companions.includes(typeUrl) ? stateOf(typeUrl) : undefined;
      if (state && mayPush(state, name)) follow(state, name, view);
    }
  }
}

/** An acknowledged endpoint set that left after its cluster proves the cluster live, though CDS is not acknowledged yet. */
export function proveLive(states: ReadonlyMap<string, TypeState>, reports: readonly Report[]): void {
  for (const report of reports) {
    if (report.kind !== "ack") continue;
    const { typeUrl, flight: acknowledged } = report;
    for (const parent of states.values()) {
      if (parent.flights.length === 0 || !parent.type.overtakes || !parent.type.companions.includes(typeUrl)) continue;
      for (const flight of parent.flights) {
        if (flight.sequence > acknowledged.sequence) continue;
        for (const { name, resource } of flight.items.values()) {
          const proven = resource?.references.some(
            (reference) => reference.typeUrl === typeUrl && acknowledged.items.has(reference.name),
          );
          if (proven) parent.proven.add(name);
        }
      }
    }
  }
}

/**
 * Only endpoints are worth pushing before they are asked for, and only to a client that has live interest in the
 * type: one without any ignores a response and never answers it, which would leave it in flight for ever.
 */
function mayPush(state: TypeState, name: string): boolean {
  const { subscription, type } = state;
  // Members of a collection come over the stream that asks for it, which is mostly another one.
  if (!state.requested) return !type.collections;
  if (subscription.covers(name)) return true;
  return type.absent === "placeholder-if-referenced" && subscription.names.size > 0;
}

/** Any parent in the view may be waiting for the word that its namespace is empty (xds W8). */
export function markEmptyNamespaces(registry: Registry, state: TypeState, view: View): void {
  const { typeUrl, namespaced } = state.type;
  if (!namespaced) return;
  for (const parent of registry.ordered.filter(({ companions }) => companions.includes(typeUrl))) {
    for (const { references } of view.list(parent.typeUrl)) {
      for (const { typeUrl: of, name } of references) {
        if (of === typeUrl && membersOf(state, name, view).length === 0) state.force(nobodyIn(name), Infinity);
      }
    }
  }
}

function membersOf(state: TypeState, namespace: string, view: View): Resource[] {
  return [...view.list(state.type.typeUrl)].filter(({ name }) => isInNamespace(namespace, name));
}

function follow(state: TypeState, name: string, view: View): void {
  if (state.type.namespaced) {
    const members = membersOf(state, name, view);
    if (members.length === 0) state.force(nobodyIn(name), Infinity);
    for (const member of members) followOne(state, member.name, view);
    return;
  }
  if (parseGlob(name)) for (const member of view.members(state.type.typeUrl, name)) followOne(state, member.name, view);
  else followOne(state, name, view);
}

function followOne(state: TypeState, name: string, view: View): void {
  const repeats = !state.due.has(name) && state.sent.has(name);
  state.behind.add(name);
  state.force(name, repeats ? Infinity : view.publicationOf(state.type.typeUrl, name));
}
