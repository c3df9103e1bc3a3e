import type { Report } from "./events.ts";
import { isSame, type Resource, type ResourceKey, type View } from "./resource.ts";
import { isInNamespace, nobodyIn, parseGlob } from "./resource-name.ts";
import type { Registry } from "./resource-types.ts";
import type { TypeReading, TypeReadings } from "./type-state.ts";

const NONE: readonly ResourceKey[] = [];

/**
 * What must leave right behind a response: the endpoints (and secrets) of each new or changed parent in it, changed or not
 * (xds R3, R4, R25). For a namespace without members, it is the name that says so.
 */
export function companionsOf(
  readingOf: (typeUrl: string) => TypeReading | undefined,
  view: View,
  parent: TypeReading,
  resources: readonly Resource[],
): readonly ResourceKey[] {
  const { companions } = parent.type;
  const found: ResourceKey[] = [];
  if (companions.length === 0) return found;
  for (const resource of resources) {
    const changed = !isSame(parent.sent.get(resource.name), resource) || parent.unknown.has(resource.name);
    if (!changed && !parent.behind.has(resource.name)) continue;
    for (const { typeUrl, name } of resource.references) {
      const state = companions.includes(typeUrl) ? readingOf(typeUrl) : undefined;
      if (state && mayPush(state, name)) for (const to of led(state, name, view)) found.push({ typeUrl, name: to });
    }
  }
  return found;
}

/**
 * Clusters proven live although CDS is not acknowledged yet: an endpoint set that left after such a cluster has been
 * acknowledged.
 */
export function provenBy(states: TypeReadings, reports: readonly Report[]): readonly ResourceKey[] {
  let proven = NONE;
  for (const report of reports) {
    if (report.kind !== "ack") continue;
    const { typeUrl, flight: acknowledged } = report;
    for (const { type, flights } of states.values()) {
      if (flights.length === 0 || !type.overtakes || !type.companions.includes(typeUrl)) continue;
      for (const flight of flights) {
        if (flight.sequence > acknowledged.sequence) continue;
        const items = [...flight.items.values()].filter(({ resource }) =>
          resource?.references.some(
            (reference) => reference.typeUrl === typeUrl && acknowledged.items.has(reference.name),
          ),
        );
        proven = [...proven, ...items.map(({ name }) => ({ typeUrl: type.typeUrl, name }))];
      }
    }
  }
  return proven;
}

/**
 * Only endpoints are worth pushing before they are asked for, and only to a client with a live interest in the
 * type: one without any ignores the response and never answers it, which would leave it in flight for ever.
 */
function mayPush(state: TypeReading, name: string): boolean {
  const { subscription, type } = state;
  // Members of a collection come over the stream that asks for it, which is usually another one.
  if (!state.requested) return !type.collections;
  if (subscription.covers(name)) return true;
  return type.absent === "placeholder-if-referenced" && subscription.names.size > 0;
}

/** Names that say that a namespace is empty. Any parent in the view may be waiting to be told (xds W8). */
export function* emptyNamespaces(registry: Registry, { type }: TypeReading, view: View): Generator<string> {
  const { typeUrl, namespaced } = type;
  if (!namespaced) return;
  for (const parent of registry.ordered.filter(({ companions }) => companions.includes(typeUrl))) {
    for (const { references } of view.list(parent.typeUrl)) {
      for (const { typeUrl: of, name } of references) {
        if (of === typeUrl && membersOf(typeUrl, name, view).length === 0) yield nobodyIn(name);
      }
    }
  }
}

function membersOf(typeUrl: string, namespace: string, view: View): string[] {
  return Array.from(view.list(typeUrl), ({ name }) => name).filter((name) => isInNamespace(namespace, name));
}

/** What a reference leads to: the name itself, or the members of a namespace or collection. */
function led({ type: { typeUrl, namespaced } }: TypeReading, name: string, view: View): Iterable<string> {
  if (namespaced) {
    const members = membersOf(typeUrl, name, view);
    return members.length === 0 ? [nobodyIn(name)] : members;
  }
  return parseGlob(name) ? Array.from(view.members(typeUrl, name), (member) => member.name) : [name];
}
