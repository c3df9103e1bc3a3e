import type { Cause } from "./journal.ts";
import type { Revision } from "./revision.ts";

/**
 * The most that one batch may cost: a put or delete costs 1, a put with a history copy 2. The same on every store, so what
 * fits one fits all.
 */
export const MAX_BATCH_COST = 990;
/** The most bytes of values and history copies in one batch. */
export const MAX_BATCH_BYTES = 16_000_000;
/** Longest value in bytes. */
export const MAX_VALUE_BYTES = 1_000_000;
/** Longest `Cause.result` in bytes. */
export const MAX_RESULT_BYTES = 65_536;
/**
 * Longest key in characters: `/`-separated tokens of `[A-Za-z0-9_=-]`. The first does not begin with `_`: a store keeps
 * its own records there.
 */
export const MAX_KEY_LENGTH = 200;
/** How long a watch that resumes is still told about every delete; an older one gets `COMPACTED`. */
export const DELETE_WINDOW_MS = 3_600_000;

/** What must hold for an operation's own key, or the whole batch fails with `conflict`. */
export type Guard = "any" | "absent" | "present" | Revision;

export type StoreOp =
  | {
      readonly op: "put";
      readonly key: string;
      readonly value: Uint8Array;
      readonly guard?: Guard;
      /**
       * Also keep an immutable copy under this generation, and at most `keep` of them: it replaces generation − keep.
       * `value` is what is kept, where it differs from the entry's.
       */
      readonly history?: { readonly generation: number; readonly keep: number; readonly value?: Uint8Array };
    }
  | { readonly op: "delete"; readonly key: string; readonly guard?: Guard };

export interface Batch {
  /** Each key at most once; without any, only the revision moves on. Values are not copied: leave them unchanged. */
  readonly ops: readonly StoreOp[];
  readonly cause: Cause;
  readonly guard?: BatchGuard;
}

/** A key that is not written, whose last write must be this one: it holds a fencing token, or a plan rests on it. */
export type BatchGuard = { readonly key: string; readonly revision: Revision };

export interface Entry {
  readonly key: string;
  readonly value: Uint8Array;
  /** That of the last write of this key. */
  readonly revision: Revision;
}

export interface Committed {
  /** All operations of a batch share it. */
  readonly revision: Revision;
  /** Milliseconds since the epoch by the store's clock. */
  readonly at: number;
}

export interface HistoryCopy {
  readonly generation: number;
  readonly value: Uint8Array;
  readonly revision: Revision;
}

export type WatchEvent =
  /** A part of the current state; only when the watch began without a revision. The last part has `synced`. */
  | {
      readonly kind: "state";
      readonly entries: readonly Entry[];
      readonly revision: Revision;
      readonly synced: boolean;
    }
  /**
   * What the commits since the last event changed; for a prompt reader that is one commit. A reader that applies it has
   * exactly the state at `revision`. It may hold no change at all and only move the revision on. `at` is the commit's time
   * by the store's clock, in milliseconds since the epoch: of the newest, where several are told together.
   */
  | { readonly kind: "commit"; readonly revision: Revision; readonly at: number; readonly changes: readonly Change[] };

export interface WatchOptions {
  readonly from?: Revision;
  readonly signal: AbortSignal;
  /** How many keys may have changes that the reader has not read before it is ended; if undefined, any number. */
  readonly maxUnread?: number;
}

export interface Change {
  readonly key: string;
  /** Absent: deleted. */
  readonly value: Uint8Array | undefined;
  /** That of this write: older than the event's where several commits are told together. */
  readonly revision: Revision;
}

/**
 * The authoritative state: one total order of revisions over all keys. Returned values are shared: do not alter them.
 *
 * Errors are `ControlPlaneError`: `conflict` / `VERSION_MISMATCH` (a guard failed, nothing changed; `details.key`),
 * `conflict` / `FENCED` (the guard of the batch failed), `conflict` / `REQUEST_SEEN` (the journal holds a commit of the same request id:
 * answer with its result), `exhausted` / `BATCH_TOO_LARGE` or `VALUE_TOO_LARGE`, `invalid` / `BAD_KEY` or
 * `DUPLICATE_KEY`, `unavailable` / `STORE_UNREACHABLE`, `unavailable` / `OUTCOME_UNKNOWN` (it may have been written: read
 * before you retry), `unavailable` / `STORE_CLOSED`, `precondition` / `COMPACTED` (read everything again).
 */
export interface StateStore {
  /**
   * All or nothing. Resolves when the batch is durable and this store's own reads show it; only while the log itself is out
   * of reach does it resolve without the latter.
   */
  commit(batch: Batch): Promise<Committed>;
  /** The newest value as far as this store can know; only a guarded commit decides. */
  get(key: string): Promise<Entry | undefined>;
  /** Everything below a prefix (`projects/`, or empty for all), and the revision it was read at. */
  read(prefix: string): Promise<{ readonly entries: readonly Entry[]; readonly revision: Revision }>;
  /** Newest first. */
  history(key: string): Promise<readonly HistoryCopy[]>;
  /**
   * Commits after `from`, in order, without end; without `from`, the current state first. Ends when the signal is aborted.
   * A commit is delivered at once; a slow reader, which nothing waits for, is told the latest values, and ended with
   * `exhausted` / `READER_TOO_SLOW` beyond `maxUnread`. A revision that is not reached yet is waited for.
   */
  watch(options: WatchOptions): AsyncIterable<WatchEvent>;
  /**
   * A revision at or past every commit that anybody was told about before this call. This store's reads have reached it;
   * its watches have it, but may still have to be read. Costs one write where several replicas share the log, however many
   * callers wait.
   */
  barrier(): Promise<Revision>;
  /** The store's clock in milliseconds since the epoch: the same for all replicas within a second, and never goes back. */
  now(): number;
  /** Idempotent. Watches that are open end with `STORE_CLOSED`. */
  close(): Promise<void>;
}
