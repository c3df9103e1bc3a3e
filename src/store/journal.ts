import type { Revision } from "./revision.ts";

/** Longest id of a request that is kept, in characters: a caller's own id, and who the caller is. */
export const MAX_REQUEST_ID_LENGTH = 160;

/** Who commits what and why. Written with the commit, atomically. */
export interface Cause {
  /** `cli:alice`, `reporter:probe-a`, `duty:drain`. */
  readonly actor: string;
  /** Name of the use case: `register-backend`. */
  readonly operation: string;
  /** In the caller's words; empty when it gave none. */
  readonly reason: string;
  /** Empty, or unique: a second commit with the same id is refused with `REQUEST_SEEN`. */
  readonly requestId: string;
  /** What the first try answered, for a retry with the same request id. At most `MAX_RESULT_BYTES`; kept as long as the entry. */
  readonly result?: Uint8Array;
}

export interface JournalEntry extends Cause {
  readonly revision: Revision;
  /** Milliseconds since the epoch by the store's clock. */
  readonly at: number;
  readonly keys: readonly string[];
}

/** Entries are kept for at least this long. */
export const JOURNAL_WINDOW_MS = 7 * 24 * 3_600_000;

/** What was committed, without ticks and other writes that the plane makes for itself (`cause.operation` begins with `-`). */
export interface Journal {
  /** The entry of the commit that carried this request id. */
  findRequest(requestId: string): Promise<JournalEntry | undefined>;
  /** The entry of the commit that has this revision, in whichever epoch. */
  findCommit(revision: Revision): Promise<JournalEntry | undefined>;
  /** Newest first, at most `limit`; with `key`, only those that touched it. */
  list(options: { readonly limit: number; readonly key?: string }): Promise<readonly JournalEntry[]>;
}
