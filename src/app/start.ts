import { formatRevision } from "../store/revision.ts";
import type { Config } from "./config.ts";
import { openPorts } from "./open-ports.ts";
import { type PlaneMachine, prepareRuntime } from "./prepare-runtime.ts";
import { restoreState } from "./restore-state.ts";
import { serveState } from "./serve-state.ts";
import { startWork } from "./start-work.ts";
import { StopSequence } from "./stop-sequence.ts";

/** A plane that is serving. */
export interface Running {
  /** Bound addresses, `HOST:PORT`. */
  readonly addresses: { readonly xds: string; readonly admin: string; readonly http: string };
  /** Rejects when the plane cannot go on; never resolves. */
  readonly failed: Promise<never>;
  /**
   * Ends streams and closes the store, within the grace period plus a second, whatever hangs. Returns what did not end in
   * time; the process had better end then, too.
   */
  stop(graceMs: number): Promise<readonly string[]>;
}

/**
 * Starts a plane in stages, of which each is given what those before it have made; what they start is stopped in reverse.
 * What proxies get is made in `serveState`, what a replica does by itself is begun in `startWork`, and what people and tools
 * reach is opened in `openPorts`. The ports come last: no stream is accepted before everything has been derived once, so no
 * request is ever answered from a half-loaded state.
 *
 * @throws ControlPlaneError when the store cannot be opened or an address cannot be bound; what was started is stopped.
 */
export async function start(config: Config, machine: PlaneMachine): Promise<Running> {
  const stops = new StopSequence(machine);
  try {
    const runtime = prepareRuntime(config, machine, stops);
    const state = await restoreState(runtime);
    const serving = serveState(runtime, state);
    const work = startWork(runtime, state, serving);
    const addresses = await openPorts(runtime, state, serving, work);

    const { clock, log, startedAt } = runtime;
    const durationMs = Math.round(clock.monotonic() - startedAt);
    log.info({ ...addresses, replica: config.replica, durationMs }, "listening");
    clock.after(PROXIES_BACK_MS, () => {
      const { revision, tookMs } = state.start;
      log.info(
        { proxies: serving.own.connected, revision: formatRevision(revision), durationMs: tookMs },
        "proxies have reconnected after the start",
      );
    });
    return { addresses, failed: state.failed, stop: (graceMs) => stops.run(graceMs) };
  } catch (thrown) {
    await stops.run(0);
    throw thrown;
  }
}

/** Proxies come back within this time: Envoy tries again after at most half a minute. */
const PROXIES_BACK_MS = 60_000;
