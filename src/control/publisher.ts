import { encodingProfile } from "../domain/encoding-profile.ts";
import type { Name } from "../domain/name.ts";
import { addConcern, type Concern } from "../domain/references.ts";
import { PublicationLog } from "../fleet/publication-log.ts";
import { type Content, difference, type Edits, type Part, partKey, resourceIn } from "../resources/content.ts";
import { derive } from "../resources/derive.ts";
import { EndpointCache } from "../resources/endpoint-cache.ts";
import { serviceOfMember } from "../resources/leds.ts";
import type { Resource } from "../resources/resource.ts";
import { FEATURE_LEVELS, type View } from "../resources/view.ts";
import type { Clock } from "../runtime/clock.ts";
import { ENTRIES } from "../schema/kinds/registry.ts";
import { ENDPOINT_TYPE } from "../xds/protocol/resource-types.ts";
import type { Fold, Mirror } from "./mirror.ts";
import { type ProxyGroup, proxyGroup } from "./proxy-group.ts";

/** Where resources are published, one group of proxies after another; the xDS server's cache is such a sink. */
export interface ResourceSink {
  /** Atomic; returns the publication number, which grows with each update that changed something. */
  update(group: ProxyGroup, edits: Edits): number;
  /** The streams of the group become silent; nothing is removed from their proxies. */
  removeGroup(group: ProxyGroup): void;
  readonly publication: number;
}

export interface PublisherOptions {
  readonly mirror: Mirror;
  readonly sink: ResourceSink;
  readonly clock: Clock;
  /** Called when proxies may belong to a different fleet than before. */
  readonly onFleetsChanged: () => void;
  /** Called after each revision with the milliseconds that publishing took. */
  readonly onPublished: (durationMs: number) => void;
}

/** What the proxies of a view have been given. */
interface Given {
  readonly view: View;
  readonly content: Map<string, Part>;
}

/**
 * Turns each commit into resources, once: one commit is one publication per group of proxies, with no timer in between.
 *
 * A commit that touches only backends and their health rebuilds the endpoints of those services and nothing else; its cost
 * grows with the endpoints of those services. Any other change derives the fleets that it concerns again; its cost grows
 * with what those have. Either way, only resources whose version changed are handed on.
 */
export class Publisher {
  readonly log = new PublicationLog();
  readonly #options: PublisherOptions;
  readonly #given = new Map<ProxyGroup, Given>();
  readonly #endpoints: EndpointCache;
  /** What must be derived again: empty between folds, unless a fold failed on something else. */
  readonly #due: Concern = { fleets: new Set(), services: new Set() };
  #profile: number;
  #planeAddresses: Mirror["planeAddresses"];

  constructor(options: PublisherOptions) {
    const { mirror } = options;
    this.#options = options;
    this.#endpoints = new EndpointCache(mirror);
    this.#profile = encodingProfile(mirror);
    this.#planeAddresses = mirror.planeAddresses;
  }

  /** Publishes the state as it is, then every commit; call it once the mirror is synced. */
  start(): () => void {
    const { mirror, clock } = this.#options;
    for (const fleet of allFleets(mirror)) this.#publishFleet(fleet);
    this.#record(clock.monotonic());
    return mirror.onFold((fold) => this.#publish(fold));
  }

  /** What a group's proxies should have under a name. */
  resource(group: ProxyGroup, typeUrl: string, name: string): Resource | undefined {
    const given = this.#given.get(group);
    return given && resourceIn(given.content, { typeUrl, name }, serviceOfMember(name));
  }

  #publish(fold: Fold): void {
    const { mirror, clock, onFleetsChanged } = this.#options;
    const startedAt = clock.monotonic();
    const { fleets, services } = this.#due;
    addConcern(this.#due, mirror, fold.changed);
    for (const { kind, name } of fold.records) if (kind === "leds") services.add(name);
    for (const service of services) this.#endpoints.forget(service);
    const profile = encodingProfile(mirror);
    const isForAll = this.#profile !== profile || this.#planeAddresses !== mirror.planeAddresses;
    this.#profile = profile;
    this.#planeAddresses = mirror.planeAddresses;
    if (isForAll) for (const fleet of allFleets(mirror)) fleets.add(fleet);
    for (const fleet of fleets) {
      fleets.delete(fleet);
      this.#publishFleet(fleet);
    }
    this.#publishEndpoints([...services]);
    services.clear();
    if (fold.changed.some(({ kind }) => ENTRIES[kind].gives === "all of a fleet")) {
      this.#endpoints.forgetFleets();
      onFleetsChanged();
    }
    this.#record(startedAt);
  }

  #publishFleet(fleet: Name): void {
    const { mirror, sink } = this.#options;
    for (const level of FEATURE_LEVELS) {
      const view = { fleet, level };
      const group = proxyGroup(view);
      const before = this.#given.get(group);
      if (mirror.get("fleet", fleet) === undefined) {
        if (this.#given.delete(group)) sink.removeGroup(group);
        continue;
      }
      const content = derive(mirror, view, this.#endpoints);
      this.#given.set(group, { view, content });
      // A group exists from its first update on, even if that update is empty.
      this.#update(group, difference(before?.content ?? NOTHING, content), before === undefined);
    }
  }

  /** If a fleet was just derived again, its endpoints are already the newest, and do not change. */
  #publishEndpoints(services: readonly Name[]): void {
    if (services.length === 0) return;
    for (const [group, { view, content }] of this.#given) {
      const before = new Map<string, Part>();
      const after = new Map<string, Part>();
      for (const service of services) {
        const key = partKey(ENDPOINT_TYPE, service);
        const known = content.get(key);
        if (known === undefined) continue;
        before.set(key, known);
        after.set(key, this.#endpoints.endpointsOf(view, service));
      }
      for (const [key, part] of after) content.set(key, part);
      this.#update(group, difference(before, after));
    }
  }

  #update(group: ProxyGroup, edits: Edits, isNew = false): void {
    if (isNew || edits.set.length > 0 || edits.deleted.length > 0) this.#options.sink.update(group, edits);
  }

  #record(startedAt: number): void {
    const { mirror, sink, clock, onPublished } = this.#options;
    this.log.record({ revision: mirror.revision, publication: sink.publication, at: startedAt });
    onPublished(clock.monotonic() - startedAt);
  }
}

const NOTHING: Content = new Map();

function allFleets(mirror: Mirror): Name[] {
  return Array.from(mirror.all("fleet"), ({ name }) => name);
}
