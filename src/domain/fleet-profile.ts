import type { Name } from "./name.ts";
import type { State } from "./state.ts";

/** What a fleet's proxies get by default, and how explicit settings are carried out. */
export interface Profile {
  /** For a policy that does not say it. */
  readonly maxEjectionPercent: number;
  /** For a `retry` that does not say it, in Envoy's terms. */
  readonly retryOn: readonly string[];
  /** Whether a request that may have been processed and is not idempotent may be retried even without `unsafe`. */
  readonly retriesUnsafe: boolean;
  /** Where a request's timeout ends: one that runs to the end of the answer cuts streams, one to its head lets them live. */
  readonly timeoutEnds: "answer" | "head";
  /** Whether a listener on `[::]` accepts IPv4 too. */
  readonly anyAddressTakesBoth: boolean;
}

/**
 * The profiles of fleets. A fleet keeps the one that it was made with: what follows from an equal state never changes by
 * itself, and every change of behaviour is a new profile. Not to be confused with the encoding profile, which is one for
 * the whole state and changes nothing that a proxy would notice.
 */
const PROFILES: Readonly<Record<number, Profile>> = {
  1: {
    // Envoy's own: nothing is ejected from fewer than ten.
    maxEjectionPercent: 10,
    retryOn: ["connect-failure", "refused-stream", "gateway-error"],
    retriesUnsafe: true,
    timeoutEnds: "answer",
    anyAddressTakesBoth: false,
  },
  2: {
    // Ejects one of two, and never the only one.
    maxEjectionPercent: 50,
    // Only where no backend can have processed the request.
    retryOn: ["connect-failure", "refused-stream"],
    retriesUnsafe: false,
    timeoutEnds: "head",
    anyAddressTakesBoth: true,
  },
};

/** For a fleet without one: it was made before there were any. */
export const FIRST_FLEET_PROFILE = 1;
/** The newest, which new fleets get. */
export const NEW_FLEET_PROFILE = 2;

/** The profile of a fleet's proxies, whether the fleet exists or not. */
export function profileOf(state: Pick<State, "get">, fleet: Name): Profile {
  return fleetProfile(state.get("fleet", fleet)?.profile ?? FIRST_FLEET_PROFILE);
}

/** @param number From 1 to `NEW_FLEET_PROFILE`. */
export function fleetProfile(number: number): Profile {
  const profile = PROFILES[number];
  if (profile === undefined) throw new RangeError(`there is no profile ${number} of fleets`);
  return profile;
}
