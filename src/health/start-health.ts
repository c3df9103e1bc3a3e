import type { Registry } from "prom-client";
import type { Mirror } from "../control/mirror.ts";
import type { Name } from "../domain/name.ts";
import { followAssignment } from "../duties/follow-assignment.ts";
import type { Clock } from "../runtime/clock.ts";
import { createHealthMetrics } from "../runtime/health-metrics.ts";
import type { Logger } from "../runtime/logger.ts";
import type { Random } from "../runtime/random.ts";
import type { StateStore } from "../store/state-store.ts";
import { HealthWorker } from "./health-worker.ts";
import { createSocketProber } from "./socket-prober.ts";

export interface HealthOptions {
  /** The name of this replica, as the duty that shares checks out knows it. */
  readonly worker: string;
  readonly mirror: Mirror;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly registry: Registry;
}

export interface RunningHealth {
  /** Services of this replica's share that no check has reached for three intervals. */
  staleServices(): readonly Name[];
  /** Verdicts that are not written yet are dropped; whoever takes over finds them again. */
  stop(): Promise<void>;
}

/** Makes this replica a worker: it checks whatever share it is given. */
export function startHealth({ worker: name, registry, ...rest }: HealthOptions): RunningHealth {
  const { clock, log } = rest;
  const stop = new AbortController();
  const worker: HealthWorker = new HealthWorker({
    ...rest,
    name,
    log: log.child({ component: "health" }),
    prober: createSocketProber(clock),
    metrics: createHealthMetrics(registry, () => worker.staleServices().length),
  });
  const onShare = worker.setShare.bind(worker);
  const following = followAssignment(rest, { worker: name, onShare, signal: stop.signal });
  return {
    staleServices: () => worker.staleServices(),
    stop: async () => {
      stop.abort(new Error("health stops"));
      await following;
      await worker.stop();
    },
  };
}
