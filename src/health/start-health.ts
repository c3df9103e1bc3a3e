import { setMaxListeners } from "node:events";
import type { Mirror } from "../control/mirror.ts";
import { followAssignment } from "../duties/follow-assignment.ts";
import type { OutboundDoor } from "../outbound/door.ts";
import { createHealthMetrics } from "../runtime/health-metrics.ts";
import { instrumentsOf } from "../runtime/instruments.ts";
import type { InstrumentedMachine } from "../runtime/machine.ts";
import type { Peers } from "../store/peers.ts";
import type { StateStore } from "../store/state-store.ts";
import { HealthWorker } from "./health-worker.ts";
import { answerPeers, askPeers } from "./second-opinion.ts";
import { SharedChecks } from "./shared-checks.ts";
import { createSocketProber } from "./socket-prober.ts";

export interface HealthOptions extends InstrumentedMachine {
  /** The name of this replica, as the duty that shares checks out knows it. */
  readonly worker: string;
  readonly mirror: Mirror;
  readonly store: StateStore;
  readonly peers: Peers;
  readonly door: Pick<OutboundDoor, "connect">;
}

/** Makes this replica a worker: it checks whatever share it is given. */
export function startHealth({ worker: name, registry, peers, door, ...rest }: HealthOptions) {
  const { clock, log, containment } = rest;
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const prober = createSocketProber({ clock, door, containment });
  const worker = new HealthWorker({
    ...rest,
    name,
    log: log.child({ component: "health" }),
    prober,
    secondOpinion: askPeers(peers),
    metrics: createHealthMetrics(registry, () => checkedServices(rest.mirror)),
  });
  const checks = new SharedChecks({ name, worker, state: rest.mirror, peers, clock });
  const { gauge } = instrumentsOf(registry);
  gauge("fairlead_health_watched_backends", "Backends that this replica checks.", () => worker.watched);
  gauge(
    "fairlead_health_stale_services",
    "Services with backends that no check of any replica has reached for three intervals.",
    () => checks.stale().size,
  );
  const stopAnswering = answerPeers(peers, { mirror: rest.mirror, prober, signal: stop.signal });
  const onShare = worker.setShare.bind(worker);
  const following = followAssignment(rest, { worker: name, onShare, signal: stop.signal });
  return {
    checks,
    /** Verdicts that are not written yet are dropped; the worker that takes over finds them again. */
    stop: async () => {
      checks.stop();
      stopAnswering();
      stop.abort(new Error("health stops"));
      await following;
      await worker.stop();
    },
  };
}

function* checkedServices(mirror: Mirror): Iterable<string> {
  for (const { name, healthCheck } of mirror.all("service")) if (healthCheck !== undefined) yield name;
}
