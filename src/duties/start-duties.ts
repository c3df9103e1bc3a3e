import { once } from "node:events";
import type { Mirror } from "../control/mirror.ts";
import { type Name, serviceOf, storeKey } from "../domain/name.ts";
import { FILL_NETWORKS, planNetworks } from "../operations/objects/fill-networks.ts";
import { planRemoval } from "../operations/writing/plan-removal.ts";
import type { Lease, Tenure } from "../store/lease.ts";
import type { Peers } from "../store/peers.ts";
import type { StoreOp } from "../store/state-store.ts";
import { Beginnings } from "./beginnings.ts";
import { deliverByLeds } from "./deliver-by-leds.ts";
import { planDrain } from "./drain.ts";
import { type Duty, type DutyContext, startDuty } from "./duty.ts";
import { planExpire } from "./expire.ts";
import { forgetPlanes } from "./forget-planes.ts";
import { keepPresence, type PresenceSources } from "./keep-presence.ts";
import { shareChecks } from "./share-checks.ts";

/** The most removals in one commit, well below what a batch may cost. */
const MAX_REMOVALS = 200;
const RETRY_MS = 1000;

export interface DutiesOptions extends Omit<DutyContext, "fencingToken"> {
  readonly lease: Lease;
  /** The workers that are live at this moment. */
  readonly workers: () => readonly string[];
  /** The proxies of all replicas. */
  readonly nodes: PresenceSources["nodes"];
  /** What fleets that are found without networks are given. */
  readonly networksForNewFleets: readonly string[];
}

/** The role whose holder does the duties, among all replicas. */
const ROLE = "duties";

/**
 * Does what one process does for all, for as long as it holds the role: removes drained backends and expired verdicts,
 * shares the checks out, forgets replicas that are gone, records which proxies are there. Once the role is won, its previous holder can no longer write.
 */
export function startDuties({ lease, workers, nodes, networksForNewFleets, ...context }: DutiesOptions) {
  const stop = new AbortController();
  let tenure: Tenure | undefined;
  const running = campaign();

  async function campaign(): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        tenure = await lease.campaign(ROLE, stop.signal);
      } catch (err) {
        if (stop.signal.aborted) return;
        context.log.warn({ err }, "the duties could not be taken over; trying again");
        await context.clock.sleep(RETRY_MS, stop.signal).catch(() => undefined);
        continue;
      }
      try {
        await serve(tenure);
      } catch (thrown) {
        context.containment.note("duty", "a tenure", thrown);
        await context.clock.sleep(RETRY_MS, stop.signal).catch(() => undefined);
      }
    }
  }

  async function serve(tenure: Tenure): Promise<void> {
    const { mirror, store } = context;
    const duties = [
      shareChecks(store, workers),
      removeDrained(mirror),
      removeExpired(mirror),
      deliverByLeds(mirror),
      fillNetworks(mirror, networksForNewFleets),
      forgetPlanes(mirror, workers),
      keepPresence({ mirror, store, nodes, live: workers }),
    ];
    const all = duties.map((duty) => startDuty({ ...context, fencingToken: tenure.fencingToken }, duty));
    const ended = AbortSignal.any([tenure.ended, stop.signal]);
    if (!ended.aborted) await once(ended, "abort");
    await Promise.all(all.map((duty) => duty.stop()));
    await tenure.resign();
  }

  return {
    /** Whether this process has the role. */
    get held(): boolean {
      return tenure !== undefined && !tenure.ended.aborted;
    },
    stop: async () => {
      stop.abort(new Error("the duties stop"));
      await running;
    },
  };
}

/** This replica and those of its peers that were heard from lately and hold the store as it is now. */
export function liveReplicas(own: string, peers: Pick<Peers, "list">): readonly string[] {
  const others = peers.list().filter(({ status, position }) => status === "live" && position.storeWentBack !== true);
  return [own, ...others.map(({ replica }) => replica)].toSorted();
}

function removeDrained(mirror: Mirror): Duty {
  const beginnings = new Beginnings();
  return {
    name: "drain",
    operation: "remove-drained-backend",
    concerns: ["backend", "service"],
    plan: (now) => {
      const plan = planDrain(mirror, now, beginnings);
      const { nextAt } = plan;
      const due = plan.due.filter(({ name }) => !isUnread(mirror, name));
      // One commit each: an undo that comes in between saves its own backend, and holds up no other.
      return { batches: due.map(({ name }) => planRemoval(mirror, "backend", name)), nextAt };
    },
  };
}

function removeExpired(mirror: Mirror): Duty {
  const beginnings = new Beginnings();
  return {
    name: "expire",
    operation: "remove-expired-verdict",
    concerns: ["health", "backend", "service"],
    plan: (now) => {
      const { due, nextAt } = planExpire(mirror, now, beginnings);
      const ops = due.flatMap(({ name, backend }): StoreOp[] => {
        const stored = mirror.stored("health", name);
        return stored === undefined || isUnread(mirror, backend)
          ? []
          : [{ op: "delete", key: storeKey("health", name), guard: stored.revision }];
      });
      return { batches: chunks(ops), nextAt };
    },
  };
}

/** Whether a backend or its service is stored in a form that cannot be read: then nobody knows when its time is up. */
function isUnread(mirror: Mirror, backend: Name): boolean {
  return mirror.isSetAside("backend", backend) || mirror.isSetAside("service", serviceOf(backend));
}

/** For a state restored from before fleets had networks; other states are given them when the plane starts. */
function fillNetworks(mirror: Mirror, networks: readonly string[]): Duty {
  return {
    name: "networks",
    operation: FILL_NETWORKS,
    concerns: ["fleet"],
    plan: (now) => ({ batches: planNetworks(mirror, networks, now), nextAt: undefined }),
  };
}

function chunks(ops: readonly StoreOp[]): StoreOp[][] {
  return Array.from({ length: Math.ceil(ops.length / MAX_REMOVALS) }, (_, i) =>
    ops.slice(i * MAX_REMOVALS, (i + 1) * MAX_REMOVALS),
  );
}
