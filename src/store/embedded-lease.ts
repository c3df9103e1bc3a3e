import { checkKey } from "./batch.ts";
import { type Lease, leaseKey, type Tenure } from "./lease.ts";
import type { StateStore } from "./state-store.ts";

const HOLDER = new TextEncoder().encode("embedded");

/** The lease of a store that one process has to itself: won at once, or after the holder in this process resigned. */
export class EmbeddedLease implements Lease {
  readonly #state: StateStore;
  /** Ends with the last tenure that was asked for, by role. */
  readonly #queues = new Map<string, Promise<void>>();

  constructor(state: StateStore) {
    this.#state = state;
  }

  async campaign(role: string, signal: AbortSignal): Promise<Tenure> {
    const key = leaseKey(role);
    checkKey(key);
    signal.throwIfAborted();
    const before = this.#queues.get(role) ?? Promise.resolve();
    const place = Promise.withResolvers<void>();
    this.#queues.set(
      role,
      before.then(() => place.promise),
    );
    try {
      await unlessAborted(before, signal);
      const { revision } = await this.#state.commit({
        ops: [{ op: "put", key, value: HOLDER }],
        cause: { actor: "lease", operation: "-lease", reason: "", requestId: "" },
      });
      const end = new AbortController();
      const resign = async () => {
        end.abort(new Error("resigned"));
        place.resolve();
      };
      return { fence: { key, revision }, ended: end.signal, resign };
    } catch (error) {
      place.resolve();
      throw error;
    }
  }
}

async function unlessAborted(waited: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await Promise.race([waited, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
