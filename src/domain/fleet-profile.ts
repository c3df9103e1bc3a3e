import type { Name } from "./name.ts";
import type { State } from "./state.ts";

/** What a fleet's proxies get where nobody said otherwise, and how what was said is carried out. */
export interface Profile {
  /** Of a policy that does not say it. */
  readonly maxEjectionPercent: number;
  /** Of a `retry` that does not say it, in Envoy's words. */
  readonly retryOn: readonly string[];
  /** Whether a request may be sent again that may have been processed and is not idempotent, where `unsafe` does not say so. */
  readonly retriesUnsafe: boolean;
  /** Where the limit of a request ends: a limit to the end of the answer cuts streams, one to its head lets them live. */
  readonly timeoutEnds: "answer" | "head";
  /** Whether a listener on `[::]` takes IPv4 too. */
  readonly anyAddressTakesBoth: boolean;
}

/**
 * The profiles of fleets. A fleet stays in the one that it was made in: what follows from an equal state never changes by
 * itself, and whatever shall become another way is a new profile. Not to be mixed up with the encoding profile, which is one
 * for the whole state and says nothing that a proxy would notice.
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
    // One of two, and never the only one.
    maxEjectionPercent: 50,
    // What no backend can have processed.
    retryOn: ["connect-failure", "refused-stream"],
    retriesUnsafe: false,
    timeoutEnds: "head",
    anyAddressTakesBoth: true,
  },
};

/** Of a fleet that says none: it was made before there were any. */
export const FIRST_FLEET_PROFILE = 1;
/** The newest, which fleets get that are made now. */
export const NEW_FLEET_PROFILE = 2;

/** Of the proxies of a fleet, whether the fleet is there or not. */
export function profileOf(state: Pick<State, "get">, fleet: Name): Profile {
  return fleetProfile(state.get("fleet", fleet)?.profile ?? FIRST_FLEET_PROFILE);
}

/** @param number From 1 to `NEW_FLEET_PROFILE`. */
export function fleetProfile(number: number): Profile {
  const profile = PROFILES[number];
  if (profile === undefined) throw new RangeError(`there is no profile ${number} of fleets`);
  return profile;
}
