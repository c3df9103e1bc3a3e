import type { Finding } from "../operations/observing/finding.ts";
import { storeFindings } from "../operations/observing/store-findings.ts";
import { instrumentsOf } from "../runtime/instruments.ts";
import type { InstrumentedMachine } from "../runtime/machine.ts";
import { repeat } from "../runtime/repeat.ts";
import type { StoreStatus } from "../store/store.ts";

const LOOK_MS = 1_000;

/** Shows the store's condition in the metrics, and logs when something is wrong with it, and when it is right again. */
export function watchStore(status: () => StoreStatus, { registry, clock, log }: InstrumentedMachine): () => void {
  const { gauge } = instrumentsOf(registry);
  const flag = (is: unknown) => (is === undefined ? 0 : 1);
  gauge(
    "fairlead_store_up",
    "0 while the store cannot be written to or, in NATS, cannot be heard.",
    () => 1 - flag(status().away),
  );
  gauge(
    "fairlead_store_fault",
    "1 while a bucket can be used but is not as it must be, for example because copies of it are offline.",
    () => flag(status().fault),
  );
  gauge("fairlead_store_frozen", "1 while the store is not the one it was, so nothing is taken from it.", () =>
    flag(status().frozen),
  );
  gauge(
    "fairlead_store_clock_offset_seconds",
    "How far the store's clock is ahead of this machine's.",
    () => status().clockOffsetMs / 1000,
  );
  let known: readonly Finding[] = [];
  const look = () => {
    const found = storeFindings(status());
    for (const { what, why } of found) {
      if (!known.some((before) => before.what === what)) log.error({ what, why }, "the store has a problem");
    }
    for (const { what } of known) {
      if (!found.some((now) => now.what === what)) log.info({ what }, "a problem of the store is over, or has changed");
    }
    known = found;
  };
  look();
  return repeat(clock, () => LOOK_MS, look);
}
