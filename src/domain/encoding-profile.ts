import type { State } from "./state.ts";

/**
 * How resources are encoded where more than one way means the same to a proxy. Part of the state, so all replicas produce equal
 * bytes, whatever their release: a new way is added as a new profile, and switched to once every replica supports it.
 *
 * 1: the first. 2: an endpoint of weight 1 is sent without a weight, which proxies take as 1; this saves 4 bytes per endpoint.
 */
export const ENCODING_PROFILES: readonly number[] = [1, 2];
/** For a state in which none was ever switched to. */
export const FIRST_PROFILE = 1;
/** From this one on, a weight of 1 is left out. */
export const UNIT_WEIGHTS_IMPLIED = 2;

/** The one that was committed; `Infinity` for one that this release cannot read. */
export function encodingProfile(state: Pick<State, "record">): number {
  return state.record("profile") ?? FIRST_PROFILE;
}
