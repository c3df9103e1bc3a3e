import type { Clock } from "../runtime/clock.ts";
import type { Metrics } from "../runtime/metrics.ts";
import type { StateStore } from "../store/state-store.ts";

/** The same store, which also counts the time of each operation and keeps the time of the last write. */
export interface MeasuredStore extends StateStore {
  /** Milliseconds since the epoch; undefined before the first write of this process. */
  readonly lastWriteAt: number | undefined;
}

export function measureStore(store: StateStore, metrics: Metrics, clock: Clock): MeasuredStore {
  let lastWriteAt: number | undefined;
  for (const operation of ["commit", "get", "read", "history", "barrier"]) metrics.storeLatency.zero({ operation });
  const timed = async <T>(operation: string, run: () => Promise<T>): Promise<T> => {
    const startedAt = clock.monotonic();
    try {
      return await run();
    } finally {
      metrics.storeLatency.observe({ operation }, (clock.monotonic() - startedAt) / 1000);
    }
  };
  return {
    get lastWriteAt() {
      return lastWriteAt;
    },
    commit: async (batch) => {
      const committed = await timed("commit", () => store.commit(batch));
      if (!batch.cause.operation.startsWith("-")) lastWriteAt = committed.at;
      return committed;
    },
    get: (key) => timed("get", () => store.get(key)),
    read: (prefix) => timed("read", () => store.read(prefix)),
    history: (key) => timed("history", () => store.history(key)),
    watch: (options) => store.watch(options),
    barrier: () => timed("barrier", () => store.barrier()),
    now: () => store.now(),
    close: () => store.close(),
  };
}
