import type { Clock } from "../runtime/clock.ts";
import type { Metrics } from "../runtime/metrics.ts";
import type { StateStore } from "../store/state-store.ts";

/** The same store, which also counts the time of each operation. */
export function measureStore(store: StateStore, { storeLatency }: Metrics, clock: Clock): StateStore {
  for (const operation of ["commit", "get", "read", "history", "barrier"]) storeLatency.zero({ operation });
  const timed = async <T>(operation: string, run: () => Promise<T>): Promise<T> => {
    const startedAt = clock.monotonic();
    try {
      return await run();
    } finally {
      storeLatency.observe({ operation }, (clock.monotonic() - startedAt) / 1000);
    }
  };
  return {
    commit: (batch) => timed("commit", () => store.commit(batch)),
    get: (key) => timed("get", () => store.get(key)),
    read: (prefix) => timed("read", () => store.read(prefix)),
    history: (key) => timed("history", () => store.history(key)),
    watch: (options) => store.watch(options),
    barrier: () => timed("barrier", () => store.barrier()),
    now: () => store.now(),
    close: () => store.close(),
  };
}
