import type { Fleet } from "../gen/fairlead/admin/v1/fleet_pb.ts";

/**
 * A write that leaves a fleet's networks out leaves them as they are: what keeps requests out is not lost by silence. A new
 * fleet gets what the plane fills in.
 */
export function keepNetworks(draft: Fleet, before: Fleet | undefined, forNewFleets: readonly string[]): void {
  if (draft.backendNetworks.length > 0) return;
  draft.backendNetworks = [...(before === undefined ? forNewFleets : before.backendNetworks)];
}
