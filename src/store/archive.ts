import { type ControlPlaneError, invalid } from "../domain/errors.ts";
import type { Cause, JournalEntry } from "./journal.ts";
import type { Revision } from "./revision.ts";
import type { Committed, Entry } from "./state-store.ts";

/** How many records one part of an archive has, at most. */
export const PART_RECORDS = 500;

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
      /** That of the write that it is a copy of, which may be from an earlier epoch; undefined: the one being written. */
      readonly revision: Revision | undefined;
    }
  | { readonly kind: "journal"; readonly entry: JournalEntry };

export interface ArchiveContent {
  /** The revision at which the entries are the state. */
  readonly revision: Revision;
  /** Entries, then history copies, then the journal, oldest first; in parts of some hundreds. */
  readonly parts: AsyncIterable<readonly ArchiveRecord[]>;
}

export interface Replacement {
  /** Goes into the new journal, with `keys`. */
  readonly cause: Cause;
  readonly keys: readonly string[];
  /** An epoch that the new one must be later than, too: the one that the records come from. Asked after the last part. */
  readonly laterThan: () => number;
}

/** All that a store holds, to be taken elsewhere and brought back. Not for the plane's daily work: it reads everything. */
export interface Archive {
  /** All keys at one revision, their history copies and the journal up to it. */
  read(): Promise<ArchiveContent>;
  /**
   * Makes the store hold these records and nothing else, in one step, and begins a new epoch: every reader sees either all
   * that was there before or all that is there after, whatever dies meanwhile. Versions, fencing tokens and watches of earlier
   * epochs no longer count. What others wrote since the records were read is replaced as well.
   *
   * Records may come in any order, the journal's oldest first. When `parts` throws, nothing has changed.
   *
   * @throws ControlPlaneError `conflict` / `REPLACED_MEANWHILE` when another replacement was first or is under way,
   * `invalid` / `DUPLICATE_KEY`, `BAD_KEY`; `exhausted` / `VALUE_TOO_LARGE`; and as `StateStore.commit`.
   */
  replace(parts: AsyncIterable<readonly ArchiveRecord[]>, replacement: Replacement): Promise<Committed>;
}

/** The entries of a state as records, in parts. */
export function* entryParts(entries: readonly Entry[]): Generator<readonly ArchiveRecord[]> {
  for (let start = 0; start < entries.length; start += PART_RECORDS) {
    yield entries.slice(start, start + PART_RECORDS).map(({ key, value }) => ({ kind: "entry", key, value }));
  }
}

export function givenTwice(key: string): ControlPlaneError {
  return invalid("DUPLICATE_KEY", [{ field: "", message: `${key} is given twice` }]);
}
