import { liveReplicas, startDuties } from "../duties/start-duties.ts";
import { startHealth } from "../health/start-health.ts";
import { openDoor } from "./open-door.ts";
import type { Runtime } from "./prepare-runtime.ts";
import type { RestoredState } from "./restore-state.ts";
import type { Serving } from "./serve-state.ts";

/** What this replica does by itself. */
export type Work = ReturnType<typeof startWork>;

/** Starts what this replica does by itself: its duties, if it is the one that has them, and its share of the checks. */
export function startWork(
  runtime: Runtime,
  { opened, store, mirror, networksForNewFleets }: RestoredState,
  { nodes }: Pick<Serving, "nodes">,
) {
  const { config, interfaces, clock, stops } = runtime;
  const { peers, lease } = opened;
  const workers = () => liveReplicas(config.replica, peers);
  const duties = startDuties({ ...runtime, mirror, store, lease, workers, nodes, networksForNewFleets });
  stops.add("duties", () => duties.stop());

  const planes = () =>
    mirror.planeAddresses.map((address) => ({ what: "where a plane of this store listens", ...address }));
  const { door, bound, stop } = openDoor({ config, store: opened, planes, interfaces, clock });
  stops.add("outbound door", stop);
  const health = startHealth({ ...runtime, worker: config.replica, mirror, store, peers, door });
  stops.add("health checks", () => health.stop());
  return {
    checks: health.checks,
    /** Whether this replica is the one that has the duties. */
    hasDuties: () => duties.held,
    /** Tells that a port of this plane is bound: no check may go there. */
    bound,
  };
}
