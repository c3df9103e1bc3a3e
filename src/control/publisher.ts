import type { Name } from "../domain/name.ts";
import { backendOf, serviceOf } from "../domain/name.ts";
import { type RoutingState, routingState } from "../domain/routing-state.ts";
import { deriveFleet } from "../resources/derive-fleet.ts";
import { deriveEndpoints } from "../resources/endpoints.ts";
import type { Resource } from "../resources/resource.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Fold, Mirror } from "./mirror.ts";
import { PublicationLog } from "./publication-log.ts";

/** Where resources are published, a group of proxies at a time; the cache of the xDS server is one. */
export interface ResourceSink {
  /** Atomic; returns the publication number, which grows with each update that changed something. */
  update(
    group: string,
    change: (edit: { set(resource: Resource): void; delete(typeUrl: string, name: string): void }) => void,
  ): number;
  /** The streams of the group become silent; nothing is removed from their proxies. */
  removeGroup(group: string): void;
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

/**
 * Turns each commit into resources, once: one commit is one publication a fleet, and without any timer in between.
 *
 * A commit that touches only backends and their health rebuilds the endpoints of those services and nothing else; its cost
 * grows with the endpoints of those services. Any other change derives all fleets again; its cost grows with the fleets and
 * with what their routes lead to. Either way only resources whose version changed are handed on.
 */
export class Publisher {
  readonly log = new PublicationLog();
  readonly #options: PublisherOptions;
  readonly #published = new Map<Name, Map<string, Resource>>();
  /** Endpoint sets by service, valid for the newest revision: shared by all fleets. */
  readonly #endpoints = new Map<Name, Resource>();
  /** The routing state that each endpoint set was last made from: its unchanged entries are not encoded again. */
  readonly #routing = new Map<Name, RoutingState>();

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Publishes the state as it is, then every commit; call it once the mirror is synced. */
  start(): () => void {
    const { mirror, clock } = this.#options;
    this.#publishFleets();
    this.#record(clock.monotonic());
    return mirror.onFold((fold) => this.#publish(fold));
  }

  /** What a fleet's proxies are to have, by `typeUrl name`. */
  resource(fleet: Name, typeUrl: string, name: string): Resource | undefined {
    return this.#published.get(fleet)?.get(keyOf(typeUrl, name));
  }

  #publish(fold: Fold): void {
    const startedAt = this.#options.clock.monotonic();
    const dirty = new Set<Name>();
    let configuration = false;
    for (const { kind, name } of fold.changed) {
      if (kind === "backend") dirty.add(serviceOf(name));
      else if (kind === "health") dirty.add(serviceOf(backendOf(name)));
      else configuration = true;
      if (kind === "service") dirty.add(name);
      if (kind === "policy") this.#endpoints.clear();
    }
    for (const service of dirty) {
      this.#endpoints.delete(service);
      if (this.#options.mirror.get("service", service) === undefined) this.#routing.delete(service);
    }
    if (configuration) {
      this.#publishFleets();
      if (fold.changed.some(({ kind }) => kind === "fleet")) this.#options.onFleetsChanged();
    } else if (dirty.size > 0) {
      this.#publishEndpoints(dirty);
    }
    this.#record(startedAt);
  }

  #publishFleets(): void {
    const { mirror, sink } = this.#options;
    const gone = new Set(this.#published.keys());
    for (const fleet of mirror.all("fleet")) {
      gone.delete(fleet.name);
      const before = this.#published.get(fleet.name) ?? new Map<string, Resource>();
      const after = new Map<string, Resource>();
      for (const resource of deriveFleet(mirror, fleet, this.#endpointsOf).resources) {
        after.set(keyOf(resource.typeUrl, resource.name), resource);
      }
      this.#published.set(fleet.name, after);
      sink.update(fleet.name, (edit) => {
        for (const [key, resource] of after) {
          if (before.get(key)?.version !== resource.version) edit.set(resource);
        }
        for (const [key, resource] of before) {
          if (!after.has(key)) edit.delete(resource.typeUrl, resource.name);
        }
      });
    }
    for (const fleet of gone) {
      this.#published.delete(fleet);
      sink.removeGroup(fleet);
    }
  }

  #publishEndpoints(services: ReadonlySet<Name>): void {
    const { mirror, sink } = this.#options;
    const derived = [...services].filter((name) => mirror.get("service", name) !== undefined).map(this.#endpointsOf);
    for (const [fleet, published] of this.#published) {
      const changed = derived.filter((resource) => {
        const before = published.get(keyOf(resource.typeUrl, resource.name));
        return before !== undefined && before.version !== resource.version;
      });
      if (changed.length === 0) continue;
      for (const resource of changed) published.set(keyOf(resource.typeUrl, resource.name), resource);
      sink.update(fleet, (edit) => {
        for (const resource of changed) edit.set(resource);
      });
    }
  }

  readonly #endpointsOf = (service: Name): Resource => {
    const known = this.#endpoints.get(service);
    if (known !== undefined) return known;
    const routing = routingState(this.#options.mirror, service, this.#routing.get(service));
    const resource = deriveEndpoints(routing);
    this.#routing.set(service, routing);
    this.#endpoints.set(service, resource);
    return resource;
  };

  #record(startedAt: number): void {
    const { mirror, sink, clock, onPublished } = this.#options;
    this.log.record({ revision: mirror.revision, publication: sink.publication, at: startedAt });
    onPublished(clock.monotonic() - startedAt);
  }
}

function keyOf(typeUrl: string, name: string): string {
  return `${typeUrl} ${name}`;
}
