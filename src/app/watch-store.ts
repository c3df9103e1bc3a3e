import { Gauge, type Registry } from "prom-client";
import type { Finding } from "../operations/observing/finding.ts";
import { storeFindings } from "../operations/observing/store-findings.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/logger.ts";
import { repeat } from "../runtime/repeat.ts";
import type { StoreStatus } from "../store/store.ts";

const LOOK_MS = 1_000;

export interface StoreWatchOptions {
  readonly status: () => StoreStatus;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Shows the store's condition in the metrics, and logs when something is wrong with it, and when it is right again. */
export function watchStore({ status, registry, clock, log }: StoreWatchOptions): () => void {
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  const flag = (is: unknown) => (is === undefined ? 0 : 1);
  gauge("fairlead_store_up", "0 while the store cannot be written or, in NATS, not be heard.", () => {
    return 1 - flag(status().away);
  });
  gauge("fairlead_store_fault", "1 while the bucket works and is not as it must be: copies away or taken away.", () => {
    return flag(status().fault);
  });
  gauge("fairlead_store_frozen", "1 while the store is not the one it was, so that nothing is taken from it.", () => {
    return flag(status().frozen);
  });
  gauge("fairlead_store_clock_offset_seconds", "By how much the store's clock is ahead of this machine's.", () => {
    return status().clockOffsetMs / 1000;
  });
  let known: readonly Finding[] = [];
  const look = () => {
    const found = storeFindings(status());
    for (const { what, why } of found) {
      if (!known.some((before) => before.what === what)) log.error({ what, why }, "something is wrong with the store");
    }
    for (const { what } of known) {
      if (!found.some((now) => now.what === what)) log.info({ what }, "this is over, or other than it was");
    }
    known = found;
  };
  look();
  return repeat(clock, () => LOOK_MS, look);
}
