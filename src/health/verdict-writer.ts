import type { Mirror } from "../control/mirror.ts";
import { toControlPlaneError } from "../domain/errors.ts";
import type { Verdict } from "../domain/health-verdict.ts";
import { formatName, type Name, partsOf, storeKey } from "../domain/name.ts";
import type { HealthMetrics } from "../runtime/health-metrics.ts";
import type { Machine } from "../runtime/machine.ts";
import { encodeStored } from "../schema/stored-object.ts";
import type { BatchGuard, StateStore } from "../store/state-store.ts";
import type { CheckSpec } from "./checked-backend.ts";
import { verdictMessage } from "./verdict-message.ts";

/** Returns undefined once the verdict is no longer this worker's to give. */
type Encode = () => Uint8Array | undefined;

const MAX_BATCH_VERDICTS = 500;
const FIRST_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 2000;

export interface VerdictWriterOptions extends Machine {
  readonly mirror: Mirror;
  readonly store: Pick<StateStore, "commit">;
  readonly metrics: Pick<HealthMetrics, "verdicts">;
  readonly observer: string;
  /** Proves at each write that this worker still has its share. */
  readonly fencingToken: () => BatchGuard | undefined;
  /** Called when the share is lost: nothing more may be written. */
  readonly onFenced: () => void;
}

/**
 * Gives verdicts: writes the newest per backend, one batch in flight. The first goes out at once; what comes meanwhile is
 * written together. While the store is away, it keeps trying: verdicts are latest values, so nothing piles up.
 */
export class VerdictWriter {
  readonly #options: VerdictWriterOptions;
  readonly #stop = new AbortController();
  readonly #waiting = new Map<Name, Encode>();
  #sequence = 0n;
  #isDraining = false;
  #drained: Promise<void> = Promise.resolve();

  constructor(options: VerdictWriterOptions) {
    this.#options = options;
  }

  /** @param isCurrent Whether the verdict is still this worker's to give; asked when it is written. */
  give({ backend, uid: backendUid, service }: CheckSpec, verdict: Verdict, isCurrent: () => boolean): void {
    const { mirror, random, metrics, log, observer, fencingToken } = this.#options;
    const parts = partsOf("backend", backend);
    const name = formatName("health", { ...parts, ids: [...parts.ids, "prober"] });
    metrics.verdicts.inc(service, verdict.status);
    log.info({ backend, status: verdict.status, reason: verdict.reason }, "verdict");
    this.#sequence += 1n;
    const sequence = this.#sequence;
    if (this.#stop.signal.aborted) return;
    this.#waiting.set(name, () => {
      if (!isCurrent()) return undefined;
      // It builds on the newest stored verdict.
      const before = mirror.stored("health", name)?.message;
      const origin = { backend, backendUid, observer, fence: BigInt(fencingToken()?.revision.position ?? 0), sequence };
      return encodeStored("health", verdictMessage(verdict, origin, before, random.id()));
    });
    if (!this.#isDraining) this.#drained = this.#drain();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#waiting.clear();
    await this.#drained;
  }

  async #drain(): Promise<void> {
    const { clock, fencingToken, log, onFenced } = this.#options;
    this.#isDraining = true;
    try {
      let backoffMs = FIRST_BACKOFF_MS;
      while (this.#waiting.size > 0) {
        const batch = this.#take();
        const guard = fencingToken();
        try {
          if (guard === undefined) return;
          await this.#commit(batch, guard);
          backoffMs = FIRST_BACKOFF_MS;
        } catch (thrown) {
          const error = toControlPlaneError(thrown);
          if (error.code === "FENCED" && guard === fencingToken()) {
            this.#waiting.clear();
            onFenced();
            return;
          }
          log.warn({ err: error, count: batch.size }, "verdicts could not be written yet; trying again");
          for (const [name, encode] of batch) if (!this.#waiting.has(name)) this.#waiting.set(name, encode);
          await clock.sleep(backoffMs, this.#stop.signal).catch(() => this.#waiting.clear());
          backoffMs = Math.min(backoffMs * 2, MAX_BACKOFF_MS);
        }
      }
    } finally {
      // At once: a write that comes a moment later begins a new drain.
      this.#isDraining = false;
    }
  }

  #take(): Map<Name, Encode> {
    const batch = new Map([...this.#waiting].slice(0, MAX_BATCH_VERDICTS));
    for (const name of batch.keys()) this.#waiting.delete(name);
    return batch;
  }

  async #commit(batch: ReadonlyMap<Name, Encode>, guard: BatchGuard): Promise<void> {
    const { store, observer } = this.#options;
    const ops = [...batch].flatMap(([name, encode]) => {
      const value = encode();
      return value === undefined ? [] : [{ op: "put", key: storeKey("health", name), value } as const];
    });
    if (ops.length === 0) return;
    const cause = { actor: `worker:${observer}`, operation: "give-verdict", reason: "", requestId: "" };
    await store.commit({ ops, cause, guard });
  }
}
