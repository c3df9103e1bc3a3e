import type { State } from "./state.ts";

/**
 * How resources are encoded where more than one way means the same to a proxy. Part of the state, so that all replicas give
 * equal bytes, whichever release they are of: a new way is added as a new profile, and switched to once every replica can.
 *
 * 1: the first. 2: an endpoint of weight 1 has no weight, which is what proxies take it for; saves 4 bytes an endpoint.
 */
export const ENCODING_PROFILES: readonly number[] = [1, 2];
/** Of a state in which none was ever switched to. */
export const FIRST_PROFILE = 1;
/** From this one on, a weight of 1 is left out. */
export const UNIT_WEIGHTS_IMPLIED = 2;

/** By what was committed; `Infinity` for what this release cannot read. */
export function encodingProfile(state: Pick<State, "record">): number {
  return state.record("profile") ?? FIRST_PROFILE;
}
