import { ControlPlaneError } from "../domain/errors.ts";
import type { Clock } from "../runtime/clock.ts";
import { nextTurn } from "../runtime/next-turn.ts";
import { failedGuard, historySlot, isJournaled } from "./batch.ts";
import { EmbeddedLease } from "./embedded-lease.ts";
import { requestSeen, storeReplaced } from "./errors.ts";
import { HeldState } from "./held-state.ts";
import { HeldStore } from "./held-store.ts";
import { JOURNAL_WINDOW_MS } from "./journal.ts";
import { noPeers } from "./peers.ts";
import type { Revision } from "./revision.ts";
import { SqliteArchive } from "./sqlite-archive.ts";
import { damagedStore, writeFailure } from "./sqlite-failure.ts";
import type { SqliteFile } from "./sqlite-file.ts";
import { SqliteJournal } from "./sqlite-journal.ts";
import { loadState, prepareStatements, readCopy } from "./sqlite-state.ts";
import { transact } from "./sqlite-transaction.ts";
import { type Batch, type Committed, DELETE_WINDOW_MS, type HistoryCopy } from "./state-store.ts";
import type { Store, StoreStatus, StoreTrouble } from "./store.ts";
import { StoreTime } from "./store-time.ts";

/** How often to retry a file that could not be written, when nothing else writes. */
const RETRY_MS = 2_000;
/** Batches that share one transaction cost at most this much, so the event loop is never held up for long. */
const GROUP_COST = 2_000;
const PRUNE_INTERVAL_MS = 60_000;

/**
 * One process, one file, nothing to install. Holds the whole state in memory too; the file is what makes it last. Takes over
 * the file: it is closed with the store, and when the store cannot be opened.
 */
export function openSqliteStore(file: SqliteFile, clock: Clock): Store {
  try {
    const state = new SqliteStore(file, clock);
    const { journal, archive, lease } = state;
    const status = () => state.status;
    return { state, journal, archive, lease, peers: noPeers, status, servers: () => [], verify: async () => {} };
  } catch (error) {
    file.close();
    throw damagedStore(file.path, error instanceof Error ? error.message : String(error), error);
  }
}

interface Waiting {
  readonly batch: Batch;
  readonly resolve: (committed: Committed) => void;
  readonly reject: (error: unknown) => void;
}

interface Staged extends Waiting {
  readonly position: number;
}

class SqliteStore extends HeldStore {
  readonly journal: SqliteJournal;
  readonly archive: SqliteArchive;
  readonly lease: EmbeddedLease;
  protected readonly held: HeldState;
  readonly #file: SqliteFile;
  readonly #clock: Clock;
  readonly #time: StoreTime;
  readonly #statements: ReturnType<typeof prepareStatements>;
  #waiting: Waiting[] = [];
  #scheduled = false;
  #prunedAt = Number.NEGATIVE_INFINITY;
  #away: StoreTrouble | undefined;
  #cancelRetry: () => void = () => undefined;

  constructor(file: SqliteFile, clock: Clock) {
    super();
    this.#file = file;
    this.#clock = clock;
    this.held = new HeldState(loadState(file));
    const followed = () => clock.now();
    this.#time = new StoreTime({ clock, followed, from: Math.max(clock.now(), this.held.at) });
    this.#statements = prepareStatements(file);
    this.journal = new SqliteJournal(file.database, () => this.assertOpen());
    this.archive = new SqliteArchive({ file, journal: this.journal, held: this.held, store: this });
    this.lease = new EmbeddedLease(this, (listener) => this.held.onEpoch(listener));
  }

  protected async write(batch: Batch): Promise<Committed> {
    return await new Promise<Committed>((resolve, reject) => {
      this.#waiting.push({ batch, resolve, reject });
      this.#schedule();
    });
  }

  protected async copies(key: string): Promise<readonly HistoryCopy[]> {
    return this.#statements.history.all(key).map(readCopy);
  }

  async barrier(): Promise<Revision> {
    this.assertOpen();
    this.#assertInPlace();
    return this.held.revision;
  }

  now(): number {
    return this.#time.now();
  }

  get status(): StoreStatus {
    const clockOffsetMs = this.now() - this.#clock.now();
    return { kind: "embedded", copies: 1, frozen: this.#file.replaced(), away: this.#away, clockOffsetMs };
  }

  protected async end(): Promise<void> {
    while (this.#waiting.length > 0) this.#commitGroup();
    this.#cancelRetry();
    this.held.close();
    this.#file.close();
  }

  #assertInPlace(): void {
    const replaced = this.#file.replaced();
    if (replaced !== undefined) throw storeReplaced(replaced);
  }

  /** Commits that arrive in one turn of the loop share a transaction, and so one flush to disk. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    nextTurn(() => {
      this.#scheduled = false;
      if (this.#waiting.length > 0) this.#commitGroup();
      if (this.#waiting.length > 0) this.#schedule();
    });
  }

  #commitGroup(): void {
    const group = this.#takeGroup();
    const at = this.now();
    const staged: Staged[] = [];
    try {
      this.#assertInPlace();
      transact(this.#file, () => {
        this.#stage(group, at, staged);
        if (staged.length === 0) return;
        this.#prune(at);
        this.#statements.head.run(this.held.revision.position + staged.length, at, this.held.floor);
      });
    } catch (error) {
      if (error instanceof ControlPlaneError && error.cause !== undefined) this.#failed(error.cause);
      for (const { reject } of group) reject(error);
      return;
    }
    if (staged.length === 0) return;
    this.#away = undefined;
    for (const { batch, position, resolve } of staged) {
      const changes = batch.ops.map((op) => ({
        key: op.key,
        value: op.op === "put" ? op.value : undefined,
        position,
        at,
      }));
      this.held.apply({ position, at, changes });
      resolve({ revision: this.held.revision, at });
    }
  }

  /** Tries from now on whether the file can be written again. */
  #failed(error: unknown): void {
    this.#away = { why: writeFailure(this.#file.path, error), since: this.#away?.since ?? this.#clock.now() };
    this.#cancelRetry();
    this.#cancelRetry = this.#clock.after(RETRY_MS, () => this.#retry());
  }

  #retry(): void {
    if (this.#away === undefined) return;
    try {
      // The time differs from the stored one: an equal row would not be written.
      this.#statements.head.run(this.held.revision.position, this.now(), this.held.floor);
      this.#away = undefined;
    } catch (error) {
      this.#failed(error);
    }
  }

  #takeGroup(): Waiting[] {
    let cost = 0;
    let count = 0;
    for (const { batch } of this.#waiting) {
      cost += batch.ops.length + 1;
      if (count > 0 && cost > GROUP_COST) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  /** Writes the rows of each batch whose guards hold, given those before it, and refuses the others. */
  #stage(group: readonly Waiting[], at: number, staged: Staged[]): void {
    const { epoch, position: head } = this.held.revision;
    const overlay = new Map<string, number | undefined>();
    const positionOf = (key: string) => (overlay.has(key) ? overlay.get(key) : this.held.held(key)?.position);
    for (const waiting of group) {
      const { batch } = waiting;
      const conflict = this.#conflict(batch, epoch, positionOf);
      if (conflict !== undefined) {
        waiting.reject(conflict);
        continue;
      }
      const position = head + staged.length + 1;
      for (const op of batch.ops) {
        const value = op.op === "put" ? op.value : null;
        overlay.set(op.key, value === null ? undefined : position);
        this.#statements.entry.run(op.key, position, at, value);
        if (op.op === "put" && op.history !== undefined) {
          const { generation, value = op.value } = op.history;
          this.#statements.copy.run(op.key, historySlot(op.history), generation, epoch, position, value);
        }
      }
      if (isJournaled(batch)) this.journal.add(batch, { revision: { epoch, position }, at });
      staged.push({ ...waiting, position });
    }
  }

  #conflict(batch: Batch, epoch: number, positionOf: (key: string) => number | undefined): Error | undefined {
    const failed = failedGuard(batch, epoch, positionOf);
    const { requestId } = batch.cause;
    if (failed?.code !== "FENCED" && isJournaled(batch) && this.journal.has(requestId)) return requestSeen(requestId);
    return failed;
  }

  #prune(at: number): void {
    if (at - this.#prunedAt < PRUNE_INTERVAL_MS) return;
    this.#prunedAt = at;
    this.held.forget(at - DELETE_WINDOW_MS);
    this.#statements.forget.run(at - DELETE_WINDOW_MS);
    this.journal.forget(at - JOURNAL_WINDOW_MS);
  }
}
