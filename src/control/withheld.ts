import { isPart, type Name } from "../domain/name.ts";
import type { State } from "../domain/state.ts";
import { serviceOfMember } from "../resources/leds.ts";
import type { ResourceKey } from "../xds/protocol/resource.ts";
import { CLUSTER_TYPE, ENDPOINT_TYPE, LEDS_TYPE, LISTENER_TYPE, ROUTE_TYPE } from "../xds/protocol/resource-types.ts";
import type { Mirror } from "./mirror.ts";
import { fleetOf, isOfGrpcClients, type ProxyGroup } from "./proxy-group.ts";
import type { Dependents, SetAside } from "./set-aside.ts";

/** The proxy that `hold` is asked about. */
export interface AskingProxy {
  readonly group: ProxyGroup | undefined;
  /** With `sotw`, it drops what a full set leaves out. */
  readonly variant: "sotw" | "delta";
  /** Whether it may hold something under the resource's name; for the empty name, whether it may hold what nobody knows of. */
  mayHold(resource: ResourceKey): boolean;
}

type How = Exclude<SetAside["withheld"], "nothing">;

/** What is kept back because of records that cannot be read: by name, with `*` for all of a type. */
interface Withholding {
  everything?: How | undefined;
  readonly fleets: Map<Name, How>;
  /** Clusters, with their endpoints. */
  readonly clusters: Map<Name, How>;
  readonly listeners: Map<Name, How>;
  readonly routes: Map<Name, How>;
  /** Removals of clusters and endpoints: what cannot be read may be what led to them. */
  removals?: How | undefined;
  /** Types whose full sets lack something. */
  readonly fullSets: Set<string>;
}

const ALL = "*";
/** Reasons, as `status` shows them for a proxy. */
const NEWER = "newer_stored_object";
const UNREADABLE = "unreadable_stored_object";

/**
 * Keeps back what comes from records that are set aside. No proxy then loses what it has because somebody wrote something
 * unreadable, or is given what a later release protects in a way that is not known here.
 */
export class Withheld {
  readonly #mirror: Mirror;
  readonly #records = new Map<string, SetAside>();
  #withholding: Withholding | undefined;

  /** @param onChange Called when what is kept back has changed: what is held may have become free. */
  constructor(mirror: Mirror, onChange: () => void = () => undefined) {
    this.#mirror = mirror;
    if (this.#note(mirror.setAside.keys())) this.#withholding = this.#collect();
    mirror.onFold(({ setAside, changed }) => {
      const isOther = this.#note(setAside);
      // Which clusters and routes depend on a record changes with the configuration.
      const isTouched = this.#records.size > 0 && changed.some(({ kind }) => !isPart(kind));
      if (isOther || isTouched) this.#withholding = this.#collect();
      if (isOther) onChange();
    });
  }

  /** The records that something is kept back for, by key. */
  get records(): ReadonlyMap<string, SetAside> {
    return this.#records;
  }

  /** Why a resource is kept back from a proxy. @param version Empty for a removal. */
  hold(proxy: AskingProxy, resource: ResourceKey, version: string): string | undefined {
    const held = this.#withholding;
    if (held === undefined) return undefined;
    const how = strongest(
      held.everything,
      proxy.group === undefined ? undefined : held.fleets.get(fleetOf(proxy.group)),
      proxy.group !== undefined && isOfGrpcClients(proxy.group)
        ? this.#howForCalls(held, fleetOf(proxy.group), resource, version)
        : howOf(held, resource, version),
    );
    if (how === "all") return NEWER;
    if (how === "changes" && proxy.mayHold(resource)) return UNREADABLE;
    const { typeUrl } = resource;
    const wouldDrop = proxy.variant === "sotw" && held.fullSets.has(typeUrl) && proxy.mayHold({ typeUrl, name: "" });
    return wouldDrop ? UNREADABLE : undefined;
  }

  /** Any host that gRPC clients dial may depend on each listener of theirs, and on one of which nothing is known. */
  #howForCalls(held: Withholding, fleet: Name, resource: ResourceKey, version: string): How | undefined {
    const { typeUrl } = resource;
    if (typeUrl !== LISTENER_TYPE && typeUrl !== ROUTE_TYPE) return howOf(held, resource, version);
    const isTheirs = (name: Name) => {
      const listener = this.#mirror.get("listener", name);
      return listener === undefined || (listener.protocol === "GRPC" && listener.fleet === fleet);
    };
    const kept = typeUrl === LISTENER_TYPE ? held.listeners : held.routes;
    // Without routes, a host has no listener either.
    const hosts = typeUrl === LISTENER_TYPE && version === "" ? held.routes.get(ALL) : undefined;
    return strongest(hosts, ...Array.from(kept, ([name, how]) => (isTheirs(name) ? how : undefined)));
  }

  /** Returns whether what is kept back may have changed. */
  #note(keys: Iterable<string>): boolean {
    let isOther = false;
    for (const key of keys) {
      const record = this.#mirror.setAside.get(key);
      const isKept = record !== undefined && record.withheld !== "nothing";
      isOther = this.#records.delete(key) || isKept || isOther;
      if (isKept) this.#records.set(key, record);
    }
    return isOther;
  }

  #collect(): Withholding | undefined {
    if (this.#records.size === 0) return undefined;
    const held: Withholding = {
      fleets: new Map(),
      clusters: new Map(),
      listeners: new Map(),
      routes: new Map(),
      fullSets: new Set(),
    };
    for (const { dependents, object, withheld } of this.#records.values()) {
      const isMissing = object !== undefined && this.#mirror.get(object.kind, object.name) === undefined;
      const { of, name } = dependents;
      WITHHOLD[of]({ held, name, how: withheld as How, isMissing, state: this.#mirror });
    }
    return held;
  }
}

/** One record that cannot be read. */
interface Kept {
  readonly held: Withholding;
  /** The name of what depends on it. */
  readonly name: Name;
  readonly how: How;
  /** Whether nothing of it is known from before. */
  readonly isMissing: boolean;
  readonly state: State;
}

const WITHHOLD: { readonly [D in Dependents["of"]]: (kept: Kept) => void } = {
  everything: ({ held, how }) => {
    held.everything = strongest(held.everything, how);
  },
  cluster: (kept) => {
    addService(kept, kept.name);
    if (kept.isMissing) kept.held.fullSets.add(CLUSTER_TYPE);
  },
  endpoints: ({ held, name, how }) => raise(held.clusters, name, how),
  clustersOfPolicy: (kept) => {
    for (const { name } of kept.state.referring("service", "policy", kept.name)) addService(kept, name);
  },
  listener: ({ held, name, how, isMissing }) => {
    raise(held.listeners, name, how);
    raise(held.routes, name, how);
    held.removals = strongest(held.removals, how);
    if (isMissing) held.fullSets.add(CLUSTER_TYPE).add(LISTENER_TYPE);
  },
  routes: ({ held, how, isMissing }) => {
    // The listeners that it is for are not known.
    raise(held.routes, ALL, how);
    held.removals = strongest(held.removals, how);
    if (isMissing) held.fullSets.add(CLUSTER_TYPE);
  },
  "all of a fleet": ({ held, name, how }) => raise(held.fleets, name, how),
  nothing: () => undefined,
};

/** Keeps back a service and the routes that lead to it, which hash as its policy says. */
function addService({ held, how, state }: Kept, service: Name): void {
  raise(held.clusters, service, how);
  for (const { listeners } of state.referring("route", "service", service)) {
    for (const listener of listeners) raise(held.routes, listener, how);
  }
}

function howOf(held: Withholding, { typeUrl, name }: ResourceKey, version: string): How | undefined {
  switch (typeUrl) {
    case CLUSTER_TYPE:
    case ENDPOINT_TYPE:
      return strongest(held.clusters.get(name), version === "" ? held.removals : undefined);
    case LEDS_TYPE:
      return strongest(held.clusters.get(serviceOfMember(name) ?? ""), version === "" ? held.removals : undefined);
    case LISTENER_TYPE:
      return held.listeners.get(name);
    case ROUTE_TYPE:
      return strongest(held.routes.get(name), held.routes.get(ALL));
    default:
      return undefined;
  }
}

function raise(to: Map<string, How>, name: string, how: How): void {
  to.set(name, strongest(to.get(name), how) ?? how);
}

function strongest(...all: readonly (How | undefined)[]): How | undefined {
  if (all.includes("all")) return "all";
  return all.includes("changes") ? "changes" : undefined;
}
