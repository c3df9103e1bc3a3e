import type { Places } from "../domain/backend-networks.ts";
import type { Profile } from "../domain/fleet-profile.ts";
import type { Listener } from "../domain/listener.ts";
import type { RoutedBackend } from "../domain/routing-state.ts";
import type { Service } from "../domain/service.ts";
import type { Part } from "./content.ts";
import type { Resource } from "./resource.ts";
import type { DerivedRoutes } from "./route-configuration.ts";

/**
 * What was made of objects, for who derives more than once to hand in. It goes with the objects it was made of; results are
 * equal with and without it.
 */
export class Memory {
  readonly listeners = new Made<Listener, Part>();
  readonly routes = new Made<Listener, DerivedRoutes>();
  readonly clusters = new Made<Service, Part>();
  /** `LbEndpoint`s, and for which weight. */
  readonly endpoints = new WeakMap<
    RoutedBackend,
    { readonly weight: number | undefined; readonly bytes: Uint8Array }
  >();
  readonly members = new WeakMap<RoutedBackend, { readonly bytes: Uint8Array; readonly resource: Resource }>();
  readonly places: Places = new WeakMap();
}

/** Made of an object for each profile, and of what else. */
class Made<Of extends object, What> {
  readonly #made = new WeakMap<Of, Map<Profile, { readonly from: readonly unknown[]; readonly what: What }>>();

  /** What was made last of the same; else it is made now. @param from What it is made of besides, compared one by one. */
  of(object: Of, profile: Profile, from: readonly unknown[], make: () => What): What {
    const known = this.#made.get(object)?.get(profile);
    if (known?.from.length === from.length && known.from.every((one, i) => one === from[i])) return known.what;
    const what = make();
    const byProfile = this.#made.get(object) ?? new Map();
    this.#made.set(object, byProfile.set(profile, { from, what }));
    return what;
  }
}
