import { type BackendJudge, backendJudge } from "../domain/backend-networks.ts";
import { encodingProfile } from "../domain/encoding-profile.ts";
import { type FleetBackends, fleetBackends } from "../domain/fleet-backends.ts";
import { ledsOf } from "../domain/leds.ts";
import type { Name } from "../domain/name.ts";
import { type RoutingState, routingState } from "../domain/routing-state.ts";
import type { State } from "../domain/state.ts";
import { type Part, partOf } from "./content.ts";
import { deriveEndpoints } from "./endpoints.ts";
import { deriveGrpcEndpoints } from "./grpc-endpoints.ts";
import { deriveLeds } from "./leds.ts";
import { Memory } from "./memory.ts";
import type { View } from "./view.ts";

/** A service's endpoints, for each feature level. */
type ServiceEndpoints = Readonly<Record<View["level"], Part>>;

/** A service's endpoints at the newest revision. */
interface Current {
  readonly routing: RoutingState;
  /** For the fleets that leave nothing out. */
  whole: ServiceEndpoints | undefined;
  readonly byJudge: WeakMap<BackendJudge, ServiceEndpoints>;
}

/**
 * Endpoints that are made once and shared: by all fleets that leave out none of a service's backends, and otherwise by
 * those with the same networks. For a state that stays as it is, or one whose changes `forget` is told about.
 */
export class EndpointCache {
  readonly memory: Memory;
  readonly #state: State;
  readonly #current = new Map<Name, Current>();
  /** The routing state that each endpoint set was last made from: its unchanged entries are not encoded again. */
  readonly #routing = new Map<Name, RoutingState>();
  /** By the networks that they judge by. */
  readonly #judges = new Map<string, BackendJudge>();
  #planes: State["planeAddresses"];
  #profile: number;

  constructor(state: State, memory = new Memory()) {
    this.memory = memory;
    this.#state = state;
    this.#planes = state.planeAddresses;
    this.#profile = encodingProfile(state);
  }

  /** Call this when a service, its policy, its backends or the verdicts on them changed. */
  forget(service: Name): void {
    this.#current.delete(service);
    if (this.#state.get("service", service) === undefined) this.#routing.delete(service);
  }

  /** Call this when fleets changed: nothing is kept for networks that no fleet has. */
  forgetFleets(): void {
    const judging = new Set(Array.from(this.#state.all("fleet"), ({ backendNetworks }) => keyOf(backendNetworks)));
    for (const key of this.#judges.keys()) if (!judging.has(key)) this.#judges.delete(key);
  }

  endpointsOf({ fleet, level }: View, service: Name): Part {
    const profile = encodingProfile(this.#state);
    if (this.#profile !== profile) this.#current.clear();
    if (this.#planes !== this.#state.planeAddresses) this.#judges.clear();
    this.#profile = profile;
    this.#planes = this.#state.planeAddresses;
    const current = this.#currentOf(service);
    const judge = this.#judgeOf(fleet);
    const known = current.byJudge.get(judge);
    if (known !== undefined) return known[level];
    const backends = fleetBackends(current.routing, judge);
    const isWhole = backends.leftOut.length === 0;
    const made = (isWhole ? current.whole : undefined) ?? this.#derive(backends);
    if (isWhole) current.whole = made;
    current.byJudge.set(judge, made);
    return made[level];
  }

  /** Whether a service is delivered by LEDS does not depend on the fleet. */
  #derive(backends: FleetBackends): ServiceEndpoints {
    const profile = this.#profile;
    const { memory } = this;
    let grpc: Part | undefined;
    const base = partOf(deriveEndpoints(backends.routing, profile, memory));
    const record = ledsOf(this.#state, backends.whole);
    return {
      base,
      leds: record === undefined ? base : deriveLeds(backends, record, { profile, memory }),
      // Few fleets have such clients.
      get grpc() {
        grpc ??= partOf(deriveGrpcEndpoints(backends.routing, profile, memory));
        return grpc;
      },
    };
  }

  #currentOf(service: Name): Current {
    const known = this.#current.get(service);
    if (known !== undefined) return known;
    const routing = routingState(this.#state, service, this.#routing.get(service));
    const current: Current = { routing, whole: undefined, byJudge: new WeakMap() };
    this.#routing.set(service, routing);
    this.#current.set(service, current);
    return current;
  }

  #judgeOf(fleet: Name): BackendJudge {
    const networks = this.#state.get("fleet", fleet)?.backendNetworks ?? [];
    const key = keyOf(networks);
    const judge = this.#judges.get(key) ?? backendJudge(networks, this.#state.planeAddresses, this.memory.places);
    this.#judges.set(key, judge);
    return judge;
  }
}

function keyOf(networks: readonly string[]): string {
  return networks.join("\n");
}
