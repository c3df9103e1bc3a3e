import { ADMIN_LIMITS } from "../admin/limits.ts";
import { MAX_HTTP_CONNECTIONS } from "../dashboard/http-server.ts";
import { ENCODING_PROFILES } from "../domain/encoding-profile.ts";
import { containedClock } from "../runtime/contained-clock.ts";
import { Containment } from "../runtime/containment.ts";
import { descriptorLimit } from "../runtime/descriptor-limit.ts";
import { connectionShares, watchDescriptors } from "../runtime/descriptors.ts";
import type { Machine } from "../runtime/machine.ts";
import { createMetrics } from "../runtime/metrics.ts";
import { DEFAULT_LIMITS } from "../xds/server/library.ts";
import type { Config } from "./config.ts";
import type { StopSequence } from "./stop-sequence.ts";

/** What a plane gets from the machine that it runs on. */
export interface PlaneMachine extends Machine {
  /** How many lines of the log were lost, where that can happen. */
  readonly lostLogLines?: () => number;
  /** The addresses of its network interfaces. */
  readonly interfaces: () => readonly string[];
  /** The encoding profiles that this release supports, if they differ from `ENCODING_PROFILES`. */
  readonly profiles?: readonly number[];
}

/** What every later stage runs on. */
export type Runtime = ReturnType<typeof prepareRuntime>;

/** Makes metrics, a clock whose timers are contained, and a share of the file descriptors for each port. */
export function prepareRuntime(config: Config, machine: PlaneMachine, stops: StopSequence) {
  const { log, random, interfaces, profiles = ENCODING_PROFILES } = machine;
  const metrics = createMetrics(machine.lostLogLines);
  const { registry } = metrics;
  const containment = new Containment({ ...machine, registry });
  const clock = containedClock(machine.clock, containment);
  const startedAt = clock.monotonic();
  for (const warning of config.warnings) log.warn({}, warning);
  const limit = descriptorLimit();
  const descriptors = watchDescriptors(limit, { clock, log, registry });
  stops.add("watch of the descriptors", descriptors.stop);
  return {
    config,
    stops,
    clock,
    random,
    log,
    interfaces,
    profiles,
    metrics,
    registry,
    containment,
    descriptors,
    /** The most connections on each port. */
    maxConnections: connectionShares(limit, {
      http: MAX_HTTP_CONNECTIONS,
      admin: ADMIN_LIMITS.maxConnections,
      xds: DEFAULT_LIMITS.maxConnections,
    }),
    /** By the monotonic clock. */
    startedAt,
  };
}
