import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** What the plane counts. Names and labels are what dashboards and alerts rely on. */
export interface Metrics {
  readonly registry: Registry;
  readonly sent: Counter<"type">;
  /** Bytes of each response. */
  readonly sentBytes: Histogram<"type">;
  readonly acknowledged: Counter<"type">;
  /** Seconds from a response to its acknowledgement; for CDS it includes warming, during which Envoy withholds it. */
  readonly acknowledgement: Histogram<"type">;
  readonly refused: Counter<"type">;
  /** Streams ended and connections closed because of a limit, by its name. */
  readonly limitsMet: Counter<"limit">;
  /** Seconds from a commit to the acknowledgement of all that was due to one proxy because of it. */
  readonly commitToAck: Histogram;
  /** Seconds an operation of the store took. */
  readonly storeLatency: Histogram<"operation">;
  /** Seconds from a commit in the log to its resources being published. */
  readonly publish: Histogram;
}

/**
 * Instruments in a registry of their own, alongside those of the process: event-loop lag, memory, CPU.
 *
 * `connectedByFleet` is asked at each scrape for the number of open streams by fleet; `""` stands for no fleet.
 * `lostLogLines` is asked as well.
 */
export function createMetrics(
  connectedByFleet: () => ReadonlyMap<string, number>,
  lostLogLines: () => number = () => 0,
): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  registry.registerMetric(
    new Counter({
      name: "fairlead_log_lines_lost_total",
      help: "Lines of the log that nobody took: its reader is gone or stands still, or its disk is full.",
      registers: [],
      collect() {
        this.reset();
        this.inc(lostLogLines());
      },
    }),
  );
  const connected = new Gauge({
    name: "fairlead_connected_proxies",
    help: 'Proxies with an open stream, by fleet; fleet="" are those that no fleet selects.',
    labelNames: ["fleet"],
    registers: [],
    collect() {
      this.reset();
      for (const [fleet, count] of connectedByFleet()) this.set({ fleet }, count);
    },
  });
  registry.registerMetric(connected);
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
      help: "From a response to its acknowledgement, by resource type; of CDS it includes warming.",
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
      help: "Streams ended, and connections closed, because a client met a limit of the xDS port, by limit.",
      labelNames: ["limit"],
      registers,
    }),
    commitToAck: new Histogram({
      name: "fairlead_commit_to_ack_seconds",
      help: "From a commit until one proxy acknowledged all that was due because of it.",
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
      help: "From receiving a commit until its resources were published.",
      buckets: [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1],
      registers,
    }),
  };
}
