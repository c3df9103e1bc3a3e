import type { Registry } from "prom-client";
import { instrumentsOf } from "./instruments.ts";
import { serviceCounter } from "./service-counter.ts";

/** What the health worker of this replica counts. */
export type HealthMetrics = ReturnType<typeof createHealthMetrics>;

/** @param services The services that are checked. */
export function createHealthMetrics(registry: Registry, services: () => Iterable<string>) {
  const { counter, histogram } = instrumentsOf(registry);
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
    probeTime: histogram(
      "fairlead_health_check_seconds",
      "How long one check took.",
      [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60],
    ),
    delay: histogram(
      "fairlead_health_schedule_delay_seconds",
      "How much later than due a check began.",
      [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5],
    ),
    massFailures: counter(
      "fairlead_health_mass_failures_total",
      "How many times so many backends stopped answering at once that their verdicts had to wait.",
    ),
    unable: counter(
      "fairlead_health_unable_total",
      "Checks that this machine could not carry out, for lack of file descriptors, ports or permission.",
    ),
  };
}
