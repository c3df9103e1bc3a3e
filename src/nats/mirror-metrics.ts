import { Counter, Gauge, type Registry } from "prom-client";
import type { MirrorStatus } from "./bucket-mirror.ts";

/** Counts how the mirror is; `status` is asked at each scrape. */
export function countMirror(registry: Registry, status: () => MirrorStatus): void {
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  const counter = (name: string, help: string, value: () => number) =>
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(value());
      },
    });
  gauge("fairlead_store_mirror_lag", "Messages of the bucket that this replica has still to read.", () => status().lag);
  gauge(
    "fairlead_store_mirror_age_seconds",
    "Since anything was heard from the bucket.",
    () => status().silentMs / 1000,
  );
  gauge(
    "fairlead_store_mirror_frozen",
    "1 while the bucket is not the one it was, so that nothing is taken from it.",
    () => (status().frozen === undefined ? 0 : 1),
  );
  counter("fairlead_store_mirror_reopens_total", "How often a silent watch was opened anew.", () => status().reopens);
  counter(
    "fairlead_store_mirror_repairs_total",
    "Keys that a full comparison found to be other than the watch had told.",
    () => status().repairs,
  );
}
