import type { Cause, JournalEntry } from "./journal.ts";
import type { Revision } from "./revision.ts";
import type { Committed } from "./state-store.ts";

/** One thing that a store holds. */
export type ArchiveRecord =
  | { readonly kind: "entry"; readonly key: string; readonly value: Uint8Array }
  | {
      readonly kind: "copy";
      readonly key: string;
      /** Its place in the ring of the key's copies. */
      readonly slot: number;
      readonly generation: number;
      readonly value: Uint8Array;
      /** Of the write that it is a copy of, which may be of an earlier epoch; nothing: what is being written. */
      readonly revision: Revision | undefined;
    }
  | { readonly kind: "journal"; readonly entry: JournalEntry };

export interface ArchiveContent {
  /** What the entries are the state at. */
  readonly revision: Revision;
  /** Entries, then history copies, then the journal, oldest first; some hundreds at a time. */
  readonly parts: AsyncIterable<readonly ArchiveRecord[]>;
}

export interface Replacement {
  /** Goes into the new journal, with `keys`. */
  readonly cause: Cause;
  readonly keys: readonly string[];
  /** The new epoch is later than this one too: the one that the records come from. Asked when the parts are at their end. */
  readonly laterThan: () => number;
}

/** All that a store holds, to be taken elsewhere and brought back. Not for the plane's daily work: it reads everything. */
export interface Archive {
  /** All keys at one revision, their history copies and the journal up to it. */
  read(): Promise<ArchiveContent>;
  /**
   * Makes the store hold these records and nothing else, in one step, and begins a new epoch: every reader sees what was
   * there before or what is there after, and never less of either, whoever dies meanwhile. Versions, fences and watches of
   * earlier epochs count no more. What others wrote since the records were read is replaced as well.
   *
   * Records may come in any order, the journal's oldest first. When `parts` throws, nothing has changed.
   *
   * @throws ControlPlaneError `conflict` / `REPLACED_MEANWHILE` when another replacement was first or is under way,
   * `invalid` / `DUPLICATE_KEY`, `BAD_KEY`; `exhausted` / `VALUE_TOO_LARGE`; and as `StateStore.commit`.
   */
  replace(parts: AsyncIterable<readonly ArchiveRecord[]>, replacement: Replacement): Promise<Committed>;
}
