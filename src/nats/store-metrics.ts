import { Counter, Gauge, type Registry } from "prom-client";
import { PEER_REFUSALS } from "../store/peers.ts";
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
  gauge("fairlead_store_mirror_lag", "Messages of the bucket that were not read yet when the last one came.", () => {
    return mirrorStatus().lag;
  });
  gauge("fairlead_store_mirror_age_seconds", "Since anything was heard from the bucket.", () => {
    return mirrorStatus().silentMs / 1000;
  });
  counter("fairlead_store_mirror_reopens_total", "How often a silent watch was opened anew.", () => {
    return mirrorStatus().reopens;
  });
  counter("fairlead_store_mirror_repairs_total", "Keys that a full comparison found other than the watch told.", () => {
    return mirrorStatus().repairs;
  });
  registry.registerMetric(
    new Counter({
      name: "fairlead_peer_messages_refused_total",
      help: "Messages on the subjects of the replicas that were not believed, by reason.",
      labelNames: ["reason"],
      registers: [],
      collect() {
        this.reset();
        const counts = new Map(peers.refused().map(({ reason, count }) => [reason, count]));
        for (const reason of PEER_REFUSALS) this.inc({ reason }, counts.get(reason) ?? 0);
      },
    }),
  );
}
