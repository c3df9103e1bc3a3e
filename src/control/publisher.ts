import { isPart, type Name, serviceOfObject } from "../domain/name.ts";
import { deriveFleet } from "../resources/derive-fleet.ts";
import type { LedsEndpoints } from "../resources/leds.ts";
import { ENDPOINTS_TYPE, MEMBER_TYPE, type Resource } from "../resources/resource.ts";
import { FEATURE_LEVELS } from "../resources/view.ts";
import type { Clock } from "../runtime/clock.ts";
import { ENTRIES } from "../schema/kinds/registry.ts";
import { EndpointCache } from "./endpoint-cache.ts";
import type { Fold, Mirror } from "./mirror.ts";
import { type ProxyGroup, proxyGroup } from "./proxy-group.ts";
import { PublicationLog } from "./publication-log.ts";

interface Edit {
  set(resource: Resource): void;
  delete(typeUrl: string, name: string): void;
}

/** Where resources are published, a group of proxies at a time; the cache of the xDS server is one. */
export interface ResourceSink {
  /** Atomic; returns the publication number, which grows with each update that changed something. */
  update(group: ProxyGroup, change: (edit: Edit) => void): number;
  /** The streams of the group become silent; nothing is removed from their proxies. */
  removeGroup(group: ProxyGroup): void;
  readonly publication: number;
}

export interface PublisherOptions {
  readonly mirror: Mirror;
  readonly sink: ResourceSink;
  readonly clock: Clock;
  /** Called when proxies may belong to another fleet than before. */
  readonly onFleetsChanged: () => void;
  /** Called after each revision with the milliseconds that publishing took. */
  readonly onPublished: (durationMs: number) => void;
}

/** What the proxies of one fleet that can take the same are to have. */
interface Published {
  /** By `typeUrl name`; members of collections are not among them. */
  readonly resources: Map<string, Resource>;
  /** By service, those that are delivered so. */
  readonly leds: Map<Name, LedsEndpoints>;
}

/**
 * Turns each commit into resources, once: one commit is one publication a group of proxies, and without any timer in between.
 *
 * A commit that touches only backends and their health rebuilds the endpoints of those services and nothing else; its cost
 * grows with the endpoints of those services. Any other change derives all fleets again; its cost grows with the fleets and
 * with what their routes lead to. Either way only resources whose version changed are handed on.
 */
export class Publisher {
  readonly log = new PublicationLog();
  readonly #options: PublisherOptions;
  readonly #fleets = new Set<Name>();
  readonly #published = new Map<ProxyGroup, Published>();
  readonly #endpoints: EndpointCache;
  #profile: number;
  #planeAddresses: Mirror["planeAddresses"];

  constructor(options: PublisherOptions) {
    const { mirror } = options;
    this.#options = options;
    this.#endpoints = new EndpointCache(mirror);
    this.#profile = mirror.profile;
    this.#planeAddresses = mirror.planeAddresses;
  }

  /** Publishes the state as it is, then every commit; call it once the mirror is synced. */
  start(): () => void {
    const { mirror, clock } = this.#options;
    this.#publishFleets();
    this.#record(clock.monotonic());
    return mirror.onFold((fold) => this.#publish(fold));
  }

  /** What a group's proxies are to have under a name. */
  resource(group: ProxyGroup, typeUrl: string, name: string): Resource | undefined {
    const published = this.#published.get(group);
    if (typeUrl !== MEMBER_TYPE) return published?.resources.get(keyOf(typeUrl, name));
    for (const { members } of published?.leds.values() ?? []) if (members.has(name)) return members.get(name);
    return undefined;
  }

  #publish(fold: Fold): void {
    const startedAt = this.#options.clock.monotonic();
    const dirty = new Set<Name>(fold.leds);
    const { mirror } = this.#options;
    let configuration = this.#profile !== mirror.profile;
    if (configuration) this.#endpoints.clear();
    this.#profile = mirror.profile;
    if (this.#planeAddresses !== mirror.planeAddresses) configuration = true;
    this.#planeAddresses = mirror.planeAddresses;
    for (const { kind, name } of fold.changed) {
      const service = serviceOfObject(kind, name);
      if (service !== undefined) dirty.add(service);
      if (!isPart(kind)) configuration = true;
      if (ENTRIES[kind].gives === "clustersOfPolicy") this.#endpoints.clear();
    }
    for (const service of dirty) this.#endpoints.forget(service);
    if (configuration) {
      this.#publishFleets();
      if (fold.changed.some(({ kind }) => ENTRIES[kind].gives === "all of a fleet")) this.#options.onFleetsChanged();
    } else if (dirty.size > 0) {
      this.#publishEndpoints(dirty);
    }
    this.#record(startedAt);
  }

  #publishFleets(): void {
    const { mirror, sink } = this.#options;
    this.#endpoints.judgeAnew();
    const gone = new Set(this.#fleets);
    for (const { name } of mirror.all("fleet")) {
      gone.delete(name);
      this.#fleets.add(name);
      this.#publishFleet(name);
    }
    for (const fleet of gone) {
      this.#fleets.delete(fleet);
      for (const level of FEATURE_LEVELS) {
        this.#published.delete(proxyGroup(fleet, level));
        sink.removeGroup(proxyGroup(fleet, level));
      }
    }
  }

  #publishFleet(fleet: Name): void {
    const { mirror, sink } = this.#options;
    const endpointsOf = (service: Name) => this.#endpoints.endpointsOf(fleet, service);
    const { resources, services } = deriveFleet(mirror, { name: fleet }, endpointsOf);
    for (const level of FEATURE_LEVELS) {
      const group = proxyGroup(fleet, level);
      const before = this.#published.get(group) ?? nothing();
      const after = nothing();
      for (const resource of resources) after.resources.set(keyOf(resource.typeUrl, resource.name), resource);
      for (const name of level === "leds" ? services : []) {
        const { leds } = endpointsOf(name);
        if (leds === undefined) continue;
        after.resources.set(keyOf(leds.assignment.typeUrl, name), leds.assignment);
        after.leds.set(name, leds);
      }
      this.#published.set(group, after);
      sink.update(group, (edit) => {
        for (const [key, resource] of after.resources) {
          if (before.resources.get(key)?.version !== resource.version) edit.set(resource);
        }
        for (const [key, { typeUrl, name }] of before.resources) {
          if (!after.resources.has(key)) edit.delete(typeUrl, name);
        }
        for (const name of new Set([...before.leds.keys(), ...after.leds.keys()])) {
          editMembers(edit, before.leds.get(name), after.leds.get(name));
        }
      });
    }
  }

  #publishEndpoints(services: ReadonlySet<Name>): void {
    const { mirror, sink } = this.#options;
    const existing = [...services].filter((name) => mirror.get("service", name) !== undefined);
    for (const fleet of this.#fleets) {
      for (const level of FEATURE_LEVELS) {
        const group = proxyGroup(fleet, level);
        const published = this.#published.get(group);
        const changed = existing.flatMap((name) => {
          const before = published?.resources.get(keyOf(ENDPOINTS_TYPE, name));
          if (before === undefined) return [];
          const endpoints = this.#endpoints.endpointsOf(fleet, name);
          const leds = level === "leds" ? endpoints.leds : undefined;
          const resource = leds?.assignment ?? endpoints.whole;
          const isSame = before.version === resource.version && published?.leds.get(name) === leds;
          return isSame ? [] : { name, resource, leds };
        });
        if (published === undefined || changed.length === 0) continue;
        sink.update(group, (edit) => {
          for (const { name, resource, leds } of changed) {
            edit.set(resource);
            editMembers(edit, published.leds.get(name), leds);
          }
        });
        for (const { name, resource, leds } of changed) {
          published.resources.set(keyOf(resource.typeUrl, name), resource);
          if (leds === undefined) published.leds.delete(name);
          else published.leds.set(name, leds);
        }
      }
    }
  }

  #record(startedAt: number): void {
    const { mirror, sink, clock, onPublished } = this.#options;
    this.log.record({ revision: mirror.revision, publication: sink.publication, at: startedAt });
    onPublished(clock.monotonic() - startedAt);
  }
}

function nothing(): Published {
  return { resources: new Map(), leds: new Map() };
}

/**
 * What departed is deleted whether or not it was ever published here: a proxy may have it from before. It is deleted again
 * when the collections have changed, since nobody remembers it of one that was not named for a while.
 */
function editMembers(edit: Edit, before: LedsEndpoints | undefined, after: LedsEndpoints | undefined): void {
  if (before === after) return;
  for (const [name, member] of after?.members ?? []) {
    if (before?.members.get(name)?.version !== member.version) edit.set(member);
  }
  for (const name of before?.members.keys() ?? [])
    if (after?.members.has(name) !== true) edit.delete(MEMBER_TYPE, name);
  const isNamedAsBefore = before?.assignment.version === after?.assignment.version;
  const told = new Set(isNamedAsBefore ? before?.departed : []);
  for (const name of after?.departed ?? []) if (!told.has(name)) edit.delete(MEMBER_TYPE, name);
}

function keyOf(typeUrl: string, name: string): string {
  return `${typeUrl} ${name}`;
}
