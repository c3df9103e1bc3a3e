import { checkKey } from "./batch.ts";
import { type Lease, leaseKey, type Tenure } from "./lease.ts";
import type { StateStore } from "./state-store.ts";

const HOLDER = new TextEncoder().encode("embedded");

/** The lease of a store that one process has to itself: won at once, or after the holder in this process resigned. */
export class EmbeddedLease implements Lease {
  readonly #state: StateStore;
  #tenures: ((why: string) => void)[] = [];
  /** By role: resolves when the last tenure that was asked for ends. */
  readonly #queues = new Map<string, Promise<void>>();

  /** @param onEpoch Calls back when a new epoch has begun: fences of the one before no longer hold, so tenures end. */
  constructor(state: StateStore, onEpoch: (listener: () => void) => void) {
    this.#state = state;
    onEpoch(() => {
      for (const end of this.#tenures.splice(0)) end("a new epoch began");
    });
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
      const finish = (why: string) => {
        this.#tenures = this.#tenures.filter((other) => other !== finish);
        end.abort(new Error(why));
        place.resolve();
      };
      this.#tenures.push(finish);
      return { fence: { key, revision }, ended: end.signal, resign: async () => finish("resigned") };
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
