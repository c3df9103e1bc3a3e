import { checkBatch, checkKey } from "./batch.ts";
import { storeClosed } from "./errors.ts";
import type { HeldState } from "./held-state.ts";
import type { Revision } from "./revision.ts";
import type { Batch, Committed, Entry, HistoryCopy, StateStore, WatchEvent, WatchOptions } from "./state-store.ts";

/** What all stores do that hold the whole state in memory: they check what they are given, and read from there. */
export abstract class HeldStore implements StateStore {
  #isClosed = false;

  protected abstract get held(): HeldState;
  /** Commits a batch that has been checked, except for its guards. */
  protected abstract write(batch: Batch): Promise<Committed>;
  /** The copies of a valid key, newest first. */
  protected abstract copies(key: string): Promise<readonly HistoryCopy[]>;
  /** Finishes what is under way, and closes what was opened with the store. Called once. */
  protected abstract end(): Promise<void>;
  abstract barrier(): Promise<Revision>;
  abstract now(): number;

  assertOpen(): void {
    if (this.#isClosed) throw storeClosed();
  }

  async commit(batch: Batch): Promise<Committed> {
    this.assertOpen();
    checkBatch(batch);
    return await this.write(batch);
  }

  async get(key: string): Promise<Entry | undefined> {
    this.assertOpen();
    checkKey(key);
    return this.held.entry(key);
  }

  async read(prefix: string): Promise<{ entries: readonly Entry[]; revision: Revision }> {
    this.assertOpen();
    return { entries: this.held.read(prefix), revision: this.held.revision };
  }

  async history(key: string): Promise<readonly HistoryCopy[]> {
    this.assertOpen();
    checkKey(key);
    return await this.copies(key);
  }

  watch(options: WatchOptions): AsyncIterable<WatchEvent> {
    return this.held.watch(options);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.end();
  }
}
