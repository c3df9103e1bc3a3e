import { LEASE_CAUSE, type Lease, leaseKey, type Tenure } from "./lease.ts";
import type { StateStore } from "./state-store.ts";
import { Turns } from "./turns.ts";

const HOLDER = new TextEncoder().encode("embedded");

/** The lease of a store that one process has to itself: won at once, or after the holder in this process resigned. */
export class EmbeddedLease implements Lease {
  readonly #state: StateStore;
  readonly #turns = new Turns();
  readonly #tenures = new Set<(why: string) => void>();

  /** @param onEpoch Calls back when a new epoch has begun: earlier fencing tokens no longer count, so tenures end. */
  constructor(state: StateStore, onEpoch: (listener: () => void) => void) {
    this.#state = state;
    onEpoch(() => {
      for (const end of this.#tenures) end("a new epoch began");
    });
  }

  async campaign(role: string, signal: AbortSignal): Promise<Tenure> {
    const key = leaseKey(role);
    const leave = await this.#turns.take(role, signal);
    try {
      const { revision } = await this.#state.commit({ ops: [{ op: "put", key, value: HOLDER }], cause: LEASE_CAUSE });
      const end = new AbortController();
      const finish = (why: string) => {
        this.#tenures.delete(finish);
        end.abort(new Error(why));
        leave();
      };
      this.#tenures.add(finish);
      return { fencingToken: { key, revision }, ended: end.signal, resign: async () => finish("resigned") };
    } catch (error) {
      leave();
      throw error;
    }
  }
}
