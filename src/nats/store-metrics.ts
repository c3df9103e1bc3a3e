import { Counter, Gauge, type Registry } from "prom-client";
import { PEER_REFUSALS, type Peers } from "../store/peers.ts";
import type { StoreStatus } from "../store/store.ts";
import type { MirrorStatus } from "./bucket-mirror.ts";

interface Measured {
  readonly status: () => StoreStatus;
  readonly mirrorStatus: () => MirrorStatus;
  readonly peers: Pick<Peers, "refused">;
}

/** Shows how the store and this replica's mirror of it are; both are asked at each scrape. */
export function countStore(registry: Registry, { status, mirrorStatus, peers }: Measured): void {
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
  const flag = (is: unknown) => (is === undefined ? 0 : 1);
  gauge("fairlead_store_up", "0 while the store can be neither written nor heard.", () => 1 - flag(status().away));
  gauge("fairlead_store_fault", "1 while the bucket works and is not as it must be: copies away or taken away.", () =>
    flag(status().fault),
  );
  gauge("fairlead_store_frozen", "1 while the bucket is not the one it was, so that nothing is taken from it.", () =>
    flag(status().frozen),
  );
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
