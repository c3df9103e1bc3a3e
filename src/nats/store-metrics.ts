import { Counter, Gauge, type Registry } from "prom-client";
import { REFUSED_REASONS } from "../store/peers.ts";
import type { OpenedNatsStore } from "./open-nats-store.ts";

/** Shows the state of this replica's mirror, and what it heard from others; both are read at each scrape. */
export function countMirror(
  registry: Registry,
  { mirrorStatus, peers }: Pick<OpenedNatsStore, "mirrorStatus" | "peers">,
): void {
  const registers = [registry];
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  const counter = (name: string, help: string, value: () => number) =>
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(value());
      },
    });
  gauge("fairlead_store_mirror_lag", "Messages of the bucket that had not been read when the last one arrived.", () => {
    return mirrorStatus().lag;
  });
  gauge("fairlead_store_mirror_age_seconds", "Since the last message from the bucket.", () => {
    return mirrorStatus().silentMs / 1000;
  });
  counter("fairlead_store_mirror_reopens_total", "How often the feed of the bucket was reopened.", () => {
    return mirrorStatus().reopens;
  });
  counter("fairlead_store_mirror_repairs_total", "Keys that a full comparison found to differ from the bucket.", () => {
    return mirrorStatus().repairs;
  });
  registry.registerMetric(
    new Counter({
      name: "fairlead_peer_messages_refused_total",
      help: "Messages on the subjects of the replicas that were refused, by reason.",
      labelNames: ["reason"],
      registers: [],
      collect() {
        this.reset();
        const counts = new Map(peers.refused().map(({ reason, count }) => [reason, count]));
        for (const reason of REFUSED_REASONS) this.inc({ reason }, counts.get(reason) ?? 0);
      },
    }),
  );
}
