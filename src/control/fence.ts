import type { StateStore } from "../store/state-store.ts";
import type { Mirror } from "./mirror.ts";

/**
 * The fence against going back: passing it proves that this replica has folded everything that any replica had served
 * when the caller came (law 6).
 *
 * It writes a tick of its own and waits until the mirror has reached it. One write serves all that come while the one
 * before is under way, so a thousand streams that connect together cost two.
 */
export class Fence {
  readonly #store: StateStore;
  readonly #mirror: Mirror;
  readonly #replica: string;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(options: { store: StateStore; mirror: Mirror; replica: string }) {
    this.#store = options.store;
    this.#mirror = options.mirror;
    this.#replica = options.replica;
  }

  /** Rejects when the store cannot be written, or with the signal's reason. */
  async pass(signal: AbortSignal): Promise<void> {
    this.#next ??= this.#enqueue();
    const tick = this.#next;
    signal.throwIfAborted();
    await Promise.race([
      tick,
      new Promise<never>((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      }),
    ]);
  }

  #enqueue(): Promise<void> {
    const tick = this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.#tick();
      });
    this.#running = tick;
    // Whoever waits is told; without anybody waiting a failed tick is nobody's concern.
    tick.catch(() => undefined);
    return tick;
  }

  async #tick(): Promise<void> {
    const { revision } = await this.#store.commit({
      ops: [{ op: "put", key: `ticks/${tokenOf(this.#replica)}`, value: new Uint8Array() }],
      cause: { actor: `replica:${this.#replica}`, operation: "-tick", reason: "", requestId: "" },
    });
    await this.#mirror.reach(revision);
  }
}

/** A replica's name as a token of a store key. */
function tokenOf(replica: string): string {
  return replica.replaceAll(/[^A-Za-z0-9_=-]/g, "_");
}
