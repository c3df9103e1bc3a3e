import type { Places } from "../domain/backend-networks.ts";
import type { Profile } from "../domain/fleet-profile.ts";
import type { Listener } from "../domain/listener.ts";
import type { RoutedBackend } from "../domain/routing-state.ts";
import type { Service } from "../domain/service.ts";
import type { Part } from "./content.ts";
import type { DerivedCalls } from "./grpc-listener.ts";
import type { Resource } from "./resource.ts";
import type { DerivedRoutes } from "./route-configuration.ts";

/**
 * What was made from objects, passed in by callers that derive more than once. It is freed with the objects it was made
 * from; results are equal with and without it.
 */
export class Memory {
  readonly listeners = new Made<Listener, Part>();
  readonly routes = new Made<Listener, DerivedRoutes>();
  readonly clusters = new Made<Service, Part>();
  readonly calls = new Made<Listener, DerivedCalls>();
  readonly grpcClusters = new Made<Service, Part>();
  /** `LbEndpoint`s, each with its weight. */
  readonly endpoints = new WeakMap<
    RoutedBackend,
    { readonly weight: number | undefined; readonly bytes: Uint8Array }
  >();
  readonly members = new WeakMap<RoutedBackend, { readonly bytes: Uint8Array; readonly resource: Resource }>();
  readonly places: Places = new WeakMap();
}

/** What was made from an object for each profile, and from what else. */
class Made<Of extends object, What> {
  readonly #made = new WeakMap<Of, Map<Profile, { readonly from: readonly unknown[]; readonly what: What }>>();

  /** What was last made from the same input, or else is made now. @param from The rest of the input, compared one by one. */
  of(object: Of, profile: Profile, from: readonly unknown[], make: () => What): What {
    const known = this.#made.get(object)?.get(profile);
    if (known?.from.length === from.length && known.from.every((one, i) => one === from[i])) return known.what;
    const what = make();
    const byProfile = this.#made.get(object) ?? new Map();
    this.#made.set(object, byProfile.set(profile, { from, what }));
    return what;
  }
}
