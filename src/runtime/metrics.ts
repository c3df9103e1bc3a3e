import { Counter, collectDefaultMetrics, Histogram, Registry } from "prom-client";

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
  const registers = [registry];
  registry.registerMetric(
    new Counter({
      name: "fairlead_log_lines_lost_total",
      help: "Log lines that were lost because their reader was gone or stalled, or the disk was full.",
      registers: [],
      collect() {
        this.reset();
        this.inc(lostLogLines());
      },
    }),
  );
  return {
    registry,
    sent: new Counter({
      name: "fairlead_xds_responses_sent_total",
      help: "Discovery responses sent, by resource type.",
      labelNames: ["type"],
      registers,
    }),
    sentBytes: new Histogram({
      name: "fairlead_xds_response_bytes",
      help: "Size of discovery responses, by resource type.",
      labelNames: ["type"],
      buckets: [256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304],
      registers,
    }),
    acknowledgement: new Histogram({
      name: "fairlead_xds_ack_seconds",
      help: "Time from a response to its acknowledgement, by resource type; for CDS it includes warming.",
      labelNames: ["type"],
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15, 60],
      registers,
    }),
    acknowledged: new Counter({
      name: "fairlead_xds_acks_total",
      help: "Responses that proxies acknowledged, by resource type.",
      labelNames: ["type"],
      registers,
    }),
    refused: new Counter({
      name: "fairlead_xds_nacks_total",
      help: "Responses that proxies refused, by resource type.",
      labelNames: ["type"],
      registers,
    }),
    limitsMet: new Counter({
      name: "fairlead_xds_limits_met_total",
      help: "Streams ended, and connections closed, because a client reached a limit of the xDS port, by limit.",
      labelNames: ["limit"],
      registers,
    }),
    commitToAck: new Histogram({
      name: "fairlead_commit_to_ack_seconds",
      help: "Time from a commit until one proxy acknowledged all that was due because of it.",
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15, 60],
      registers,
    }),
    storeLatency: new Histogram({
      name: "fairlead_store_seconds",
      help: "How long operations of the store took.",
      labelNames: ["operation"],
      buckets: [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
      registers,
    }),
    publish: new Histogram({
      name: "fairlead_publish_seconds",
      help: "Time from receiving a commit until its resources were published.",
      buckets: [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1],
      registers,
    }),
  };
}
