import { NEW_FLEET_PROFILE } from "../../domain/fleet-profile.ts";
import { type Fleet, FleetSchema } from "../../gen/fairlead/admin/v1/fleet_pb.ts";
import { parseFleet } from "../parse-fleet.ts";
import { kindEntry, type Settling } from "./kind-entry.ts";

const NETWORKS_FIELD = ["backend_networks", "backendNetworks"];

export const FLEET = kindEntry({
  kind: "fleet",
  plural: "fleets",
  message: FleetSchema,
  outputOnly: ["meta", "conditions", "profile"],
  parse: parseFleet,
  isApplied: true,
  hasHistory: true,
  gives: "all of a fleet",
  isOnTheWay: true,
  settle: (draft, before, settling, named) => {
    keepProfile(draft, before);
    if (!named.some((field) => NETWORKS_FIELD.includes(field))) keepNetworks(draft, before, settling);
  },
  settleImported: (given, before, settling) => {
    keepNetworks(given, before, settling);
    // One that has an identity but no profile is from before there were profiles.
    const isOld = before === undefined && (given.meta?.uid ?? "") !== "";
    if (given.profile === 0 && !isOld) keepProfile(given, before);
  },
});

/** A fleet keeps the profile that it was made with, whatever a write says; a new fleet gets the newest. */
function keepProfile(draft: Fleet, before: Fleet | undefined): void {
  draft.profile = before === undefined ? NEW_FLEET_PROFILE : before.profile;
}

/**
 * A write that leaves out a fleet's networks keeps them: what keeps requests out is not lost by omission. A new fleet gets
 * what the plane fills in.
 */
function keepNetworks(draft: Fleet, before: Fleet | undefined, { networksForNewFleets = [] }: Settling): void {
  if (draft.backendNetworks.length > 0) return;
  draft.backendNetworks = [...(before === undefined ? networksForNewFleets : before.backendNetworks)];
}
