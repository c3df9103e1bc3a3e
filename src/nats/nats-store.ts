import { unreachable } from "../store/errors.ts";
import { HeldStore } from "../store/held-store.ts";
import type { Revision } from "../store/revision.ts";
import type { Batch, Committed, HistoryCopy } from "../store/state-store.ts";
import { BatchWriter } from "./batch-writer.ts";
import type { BucketMirror } from "./bucket-mirror.ts";
import type { BucketSession } from "./bucket-session.ts";
import { storeFailure } from "./failure.ts";
import { NatsArchive } from "./nats-archive.ts";
import { readHistory } from "./nats-history.ts";
import { NatsJournal } from "./nats-journal.ts";

/** How long a barrier waits for its own mirror. */
const MIRROR_WAIT_MS = 4_000;
const TICK_TIMEOUT_MS = 2_000;

export interface NatsStoreOptions extends BucketSession {
  readonly mirror: BucketMirror;
  /** Closes everything that was opened with the store. */
  readonly onClose: () => Promise<void>;
}

/** The state in one JetStream bucket, read from this process's mirror of it. */
export class NatsStore extends HeldStore {
  readonly journal: NatsJournal;
  readonly archive: NatsArchive;
  readonly #options: NatsStoreOptions;
  readonly #writer: BatchWriter;
  /** The barrier that is under way, and the one that waits for its end and serves all callers that came meanwhile. */
  #barrier: Promise<Revision> | undefined;
  #nextBarrier: Promise<Revision> | undefined;

  constructor(options: NatsStoreOptions) {
    super();
    this.#options = options;
    const { log } = options.mirror;
    const assertOpen = () => this.assertOpen();
    this.journal = new NatsJournal(options, log, assertOpen);
    this.archive = new NatsArchive({ ...options, log, assertOpen });
    this.#writer = new BatchWriter({ ...options, journal: this.journal });
  }

  protected get held() {
    return this.#options.mirror.log.held;
  }

  protected async write(batch: Batch): Promise<Committed> {
    return await this.#writer.write(batch);
  }

  protected async copies(key: string): Promise<readonly HistoryCopy[]> {
    const { manager, mirror } = this.#options;
    return await readHistory(manager, key, mirror.log.current);
  }

  async barrier(): Promise<Revision> {
    this.assertOpen();
    if (this.#barrier === undefined) {
      this.#barrier = this.#passBarrier().finally(() => {
        this.#barrier = undefined;
      });
      return await this.#barrier;
    }
    this.#nextBarrier ??= this.#barrier
      .catch(() => undefined)
      .then(() => {
        this.#nextBarrier = undefined;
        return this.barrier();
      });
    return await this.#nextBarrier;
  }

  /** Writes an empty batch, so all mirrors hear that all is well. Returns its position, or undefined if it failed. */
  async tick(): Promise<number | undefined> {
    if (!this.#options.link.isUp) return undefined;
    const outcome = await this.#writer.tick(TICK_TIMEOUT_MS);
    return outcome.kind === "written" ? outcome.sequence : undefined;
  }

  now(): number {
    return this.#options.mirror.log.time.now();
  }

  protected async end(): Promise<void> {
    await this.#writer.idle();
    await this.#options.onClose();
  }

  async #passBarrier(): Promise<Revision> {
    this.assertOpen();
    this.#writer.assertWritable();
    const { mirror } = this.#options;
    const outcome = await this.#writer.tick();
    if (outcome.kind !== "written") {
      throw storeFailure(
        outcome.kind === "conflict" ? "a tick was refused" : outcome.error,
        "the log cannot be written",
      );
    }
    const at = await mirror.log.reached(outcome.sequence, MIRROR_WAIT_MS);
    if (at === undefined) throw unreachable("the log cannot be read");
    return this.held.revision;
  }
}
