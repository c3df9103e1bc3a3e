import { collectDefaultMetrics, Registry } from "prom-client";
import { instrumentsOf } from "./instruments.ts";

/** What the plane counts. Names and labels are what dashboards and alerts rely on. */
export type Metrics = ReturnType<typeof createMetrics>;

/**
 * Instruments in a registry of their own, alongside those of the process: event-loop lag, memory, CPU.
 *
 * @param lostLogLines Asked at each scrape.
 */
export function createMetrics(lostLogLines: () => number = () => 0) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  // Gauges with the names of counters; `nodejs_active_handles` and the like have the same, by type.
  for (const what of ["handles", "requests", "resources"]) registry.removeSingleMetric(`nodejs_active_${what}_total`);
  const { counter, histogram, total } = instrumentsOf(registry);
  total(
    "fairlead_log_lines_lost_total",
    "Log lines that were lost because their reader was gone or stalled, or the disk was full.",
    lostLogLines,
  );
  return {
    registry,
    sent: counter("fairlead_xds_responses_sent_total", "Discovery responses sent, by resource type.", "type"),
    sentBytes: histogram(
      "fairlead_xds_response_bytes",
      "Size of discovery responses, by resource type.",
      [256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304],
      "type",
    ),
    acknowledgement: histogram(
      "fairlead_xds_ack_seconds",
      "Time from a response to its acknowledgement, by resource type; for CDS it includes warming.",
      [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15, 60],
      "type",
    ),
    acknowledged: counter("fairlead_xds_acks_total", "Responses that proxies acknowledged, by resource type.", "type"),
    refused: counter("fairlead_xds_nacks_total", "Responses that proxies refused, by resource type.", "type"),
    limitsMet: counter(
      "fairlead_xds_limits_met_total",
      "Streams ended, and connections closed, because a client reached a limit of the xDS port, by limit.",
      "limit",
    ),
    commitToAck: histogram(
      "fairlead_commit_to_ack_seconds",
      "Time from a commit until one proxy acknowledged all that was due because of it.",
      [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15, 60],
    ),
    storeLatency: histogram(
      "fairlead_store_seconds",
      "How long operations of the store took.",
      [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
      "operation",
    ),
    publish: histogram(
      "fairlead_publish_seconds",
      "Time from receiving a commit until its resources were published.",
      [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1],
    ),
  };
}
