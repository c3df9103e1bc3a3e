import { type BackendJudge, backendJudge, type PlaneAddress } from "../domain/backend-networks.ts";
import { fleetBackends } from "../domain/fleet-backends.ts";
import type { Name } from "../domain/name.ts";
import { type RoutingState, routingState } from "../domain/routing-state.ts";
import { deriveServiceEndpoints, type ServiceEndpoints } from "../resources/derive-fleet.ts";
import type { Mirror } from "./mirror.ts";

/** A service's endpoints at the newest revision. */
interface Current {
  readonly routing: RoutingState;
  /** For the fleets that leave nothing out. */
  whole: ServiceEndpoints | undefined;
  readonly byJudge: Map<BackendJudge, ServiceEndpoints>;
}

/**
 * The endpoints that are made once and shared: by all fleets that leave none of a service's backends out, and else by those
 * with the same networks.
 */
export class EndpointCache {
  readonly #mirror: Mirror;
  readonly #current = new Map<Name, Current>();
  /** The routing state that each endpoint set was last made from: its unchanged entries are not encoded again. */
  readonly #routing = new Map<Name, RoutingState>();
  #planes: readonly PlaneAddress[];
  #judges = new Map<string, BackendJudge>();

  constructor(mirror: Mirror) {
    this.#mirror = mirror;
    this.#planes = mirror.planeAddresses;
  }

  /** To be called when a service, its backends or what is said of them changed. */
  forget(service: Name): void {
    this.#current.delete(service);
    if (this.#mirror.get("service", service) === undefined) this.#routing.delete(service);
  }

  /** To be called when more than single services changed. */
  clear(): void {
    this.#current.clear();
  }

  /** To be called when fleets or the addresses of planes changed. */
  judgeAnew(): void {
    const before = this.#planes === this.#mirror.planeAddresses ? this.#judges : new Map<string, BackendJudge>();
    this.#planes = this.#mirror.planeAddresses;
    this.#judges = new Map();
    for (const { backendNetworks } of this.#mirror.all("fleet")) {
      const key = backendNetworks.join("\n");
      const judge = before.get(key) ?? backendJudge(backendNetworks, this.#planes);
      this.#judges.set(key, judge);
    }
    if (before.size > 0 && before.keys().every((key) => this.#judges.has(key))) return;
    for (const { byJudge } of this.#current.values()) byJudge.clear();
  }

  endpointsOf(fleet: Name, service: Name): ServiceEndpoints {
    const current = this.#currentOf(service);
    const judge = this.#judgeOf(fleet);
    const known = current.byJudge.get(judge);
    if (known !== undefined) return known;
    const backends = fleetBackends(current.routing, judge);
    const isWhole = backends.leftOut.length === 0;
    const made = (isWhole ? current.whole : undefined) ?? deriveServiceEndpoints(this.#mirror, backends);
    if (isWhole) current.whole = made;
    current.byJudge.set(judge, made);
    return made;
  }

  #currentOf(service: Name): Current {
    const known = this.#current.get(service);
    if (known !== undefined) return known;
    const routing = routingState(this.#mirror, service, this.#routing.get(service));
    const current: Current = { routing, whole: undefined, byJudge: new Map() };
    this.#routing.set(service, routing);
    this.#current.set(service, current);
    return current;
  }

  #judgeOf(fleet: Name): BackendJudge {
    const networks = this.#mirror.get("fleet", fleet)?.backendNetworks ?? [];
    const key = networks.join("\n");
    const judge = this.#judges.get(key) ?? backendJudge(networks, this.#planes);
    this.#judges.set(key, judge);
    return judge;
  }
}
