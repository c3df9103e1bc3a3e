import { NEW_FLEET_PROFILE } from "../domain/fleet-profile.ts";
import type { Fleet } from "../gen/fairlead/admin/v1/fleet_pb.ts";

/** A fleet stays in the profile that it was made in, whatever is written of it; one that is new gets the newest. */
export function keepProfile(draft: Fleet, before: Fleet | undefined): void {
  draft.profile = before === undefined ? NEW_FLEET_PROFILE : before.profile;
}

/**
 * An import says which one a fleet is in. Where it says none, a fleet that is there stays as it is, and one that brings an
 * identity along is from before there were profiles.
 */
export function importProfile(given: Fleet, before: Fleet | undefined): void {
  if (given.profile !== 0) return;
  const isOld = before === undefined && (given.meta?.uid ?? "") !== "";
  if (!isOld) keepProfile(given, before);
}
