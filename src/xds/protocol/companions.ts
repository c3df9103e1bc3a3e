import type { Report } from "./events.ts";
import { isSame, type Resource, type ResourceKey, type Served } from "./resource.ts";
import { isInNamespace, nobodyIn, parseGlob } from "./resource-name.ts";
import type { Registry } from "./resource-types.ts";
import type { TypeReading, TypeReadings } from "./type-state.ts";

/**
 * What must leave right behind a response: the endpoints (and secrets) of each new or changed parent in it, changed or not
 * (xds R3, R4, R25). For a namespace without members, it is the name that says so.
 */
export function companionsOf(
  types: { of(typeUrl: string): TypeReading | undefined },
  served: Served,
  parent: TypeReading,
  resources: readonly Resource[],
): readonly ResourceKey[] {
  const { companions } = parent.type;
  const found: ResourceKey[] = [];
  if (companions.length === 0) return found;
  for (const resource of resources) {
    const changed = !isSame(parent.sent.get(resource.name), resource) || parent.unknown.has(resource.name);
    if (!changed && !parent.behind.has(resource.name)) continue;
    for (const to of resource.references) {
      const state = companions.includes(to.typeUrl) ? types.of(to.typeUrl) : undefined;
      if (state && mayPush(state, to.name)) for (const each of led(state, to, served)) found.push(each);
    }
  }
  return found;
}

/**
 * Clusters proven live although CDS is not acknowledged yet: an endpoint set that left after such a cluster has been
 * acknowledged.
 */
export function provenBy(states: TypeReadings, reports: readonly Report[]): readonly ResourceKey[] {
  const proven: ResourceKey[] = [];
  for (const report of reports) {
    if (report.kind !== "ack") continue;
    const { typeUrl, flight: acknowledged } = report;
    for (const { type, flights } of states.values()) {
      if (flights.length === 0 || !type.overtakes || !type.companions.includes(typeUrl)) continue;
      for (const flight of flights) {
        if (flight.sequence > acknowledged.sequence) continue;
        for (const { name, resource } of flight.items.values()) {
          const isProven = resource?.references.some((to) => to.typeUrl === typeUrl && acknowledged.items.has(to.name));
          if (isProven) proven.push({ typeUrl: type.typeUrl, name });
        }
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

/** Names that say that a namespace is empty. Any parent that is served may be waiting to be told (xds W8). */
export function* emptyNamespaces(registry: Registry, typeUrl: string, served: Served): Generator<string> {
  for (const parent of registry.ordered.filter(({ companions }) => companions.includes(typeUrl))) {
    for (const { references } of served.list(parent.typeUrl)) {
      for (const { typeUrl: of, name } of references) {
        if (of === typeUrl && membersOf(typeUrl, name, served).length === 0) yield nobodyIn(name);
      }
    }
  }
}

function membersOf(typeUrl: string, namespace: string, served: Served): Resource[] {
  return Array.from(served.list(typeUrl)).filter(({ name }) => isInNamespace(namespace, name));
}

/** What a reference leads to: the resource itself, or the members of a namespace or collection. */
function led({ type: { namespaced } }: TypeReading, to: ResourceKey, served: Served): readonly ResourceKey[] {
  const { typeUrl, name } = to;
  if (!namespaced) return parseGlob(name) ? Array.from(served.members(typeUrl, name)) : [to];
  const members = membersOf(typeUrl, name, served);
  return members.length === 0 ? [{ typeUrl, name: nobodyIn(name) }] : members;
}
