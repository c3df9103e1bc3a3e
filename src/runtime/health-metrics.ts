import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { addGauge } from "./gauge.ts";
import { serviceCounter } from "./service-counter.ts";

/** What the health worker of this replica counts. */
export type HealthMetrics = ReturnType<typeof createHealthMetrics>;

/**
 * @param stale Services without a recent check, counted when somebody asks.
 * @param services The services that are checked.
 */
export function createHealthMetrics(
  registry: Registry,
  { stale, services }: { readonly stale: () => number; readonly services: () => Iterable<string> },
) {
  const registers = [registry];
  addGauge(
    registry,
    "fairlead_health_stale_services",
    "Services with backends that no check of any replica has reached for three intervals.",
    stale,
  );
  return {
    probes: serviceCounter({
      name: "fairlead_health_checks_total",
      help: "Checks of backends, by service and outcome.",
      label: "outcome",
      values: ["pass", "degraded", "fail"],
      services,
      registry,
    }),
    verdicts: serviceCounter({
      name: "fairlead_health_verdicts_total",
      help: "Verdicts written, by service and status.",
      label: "status",
      values: ["HEALTHY", "DEGRADED", "UNHEALTHY"],
      services,
      registry,
    }),
    probeTime: new Histogram({
      name: "fairlead_health_check_seconds",
      help: "How long one check took.",
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60],
      registers,
    }),
    delay: new Histogram({
      name: "fairlead_health_schedule_delay_seconds",
      help: "How much later than due a check began.",
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5],
      registers,
    }),
    watched: new Gauge({
      name: "fairlead_health_watched_backends",
      help: "Backends that this replica checks.",
      registers,
    }),
    massFailures: new Counter({
      name: "fairlead_health_mass_failures_total",
      help: "How many times so many backends stopped answering at once that their verdicts had to wait.",
      registers,
    }),
    unable: new Counter({
      name: "fairlead_health_unable_total",
      help: "Checks that this machine could not carry out, for lack of file descriptors, ports or permission.",
      registers,
    }),
  };
}
