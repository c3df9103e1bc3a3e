import { compacted, storeClosed } from "./errors.ts";
import type { Revision } from "./revision.ts";
import type { Change, Entry, WatchEvent, WatchOptions } from "./state-store.ts";
import { UnreadChanges } from "./unread-changes.ts";

const STATE_PART_ENTRIES = 1_000;

/** A value and the position of the commit that wrote it. */
export interface Held {
  readonly value: Uint8Array;
  readonly position: number;
  /** What readers are told about it, made when the first of them asks; all of them share it. */
  entry?: Entry;
}

/** A delete and its time by the store's clock, in milliseconds since the epoch. */
export interface Tombstone {
  readonly position: number;
  readonly at: number;
}

/** The newest write of a key; without a value, it was deleted. */
export interface HeldChange {
  readonly key: string;
  readonly value: Uint8Array | undefined;
  readonly position: number;
  readonly at: number;
}

export interface HeldContent {
  readonly epoch: number;
  position: number;
  /** Time of the commit at `position`. */
  at: number;
  /** Every delete after this position is among the tombstones. */
  floor: number;
  readonly entries: Map<string, Held>;
  /** Oldest first. */
  readonly tombstones: Map<string, Tombstone>;
}

/**
 * The state of a store in memory, which answers its reads and feeds its watches. Its owner applies the commits of one log,
 * in order.
 */
export class HeldState {
  #content: HeldContent;
  readonly #readers = new Set<UnreadChanges>();
  readonly #onEpoch = new Set<() => void>();
  #closed = false;
  /** All entries, as long as nothing has changed since they were read: many watches that begin at once share them. */
  #all: readonly Entry[] | undefined;

  /** Takes over the content. */
  constructor(content: HeldContent) {
    this.#content = content;
  }

  get revision(): Revision {
    return this.#revisionAt(this.#content.position);
  }

  /** Time of the newest commit. */
  get at(): number {
    return this.#content.at;
  }

  get floor(): number {
    return this.#content.floor;
  }

  held(key: string): Held | undefined {
    return this.#content.entries.get(key);
  }

  entry(key: string): Entry | undefined {
    const held = this.held(key);
    return held && this.#entryOf(key, held);
  }

  read(prefix: string): Entry[] {
    const found: Entry[] = [];
    for (const [key, held] of this.#content.entries) if (key.startsWith(prefix)) found.push(this.#entryOf(key, held));
    return found;
  }

  /**
   * Applies the next commits of the log together, and tells every watch about them before it returns; `position` and `at` are
   * those of the last.
   */
  apply({ position, at, changes }: Pick<HeldContent, "position" | "at"> & { changes: readonly HeldChange[] }): void {
    this.#content.position = position;
    this.#content.at = at;
    const told = this.#write(changes);
    for (const reader of this.#readers) if (position > reader.after) reader.tell(this.revision, at, told);
  }

  /** Applies what was missed before, and tells every watch about it; the revision stays. */
  repair(changes: readonly HeldChange[]): void {
    const told = this.#write(changes);
    for (const reader of this.#readers) reader.tell(this.revision, this.#content.at, told);
  }

  #write(changes: readonly HeldChange[]): Change[] {
    const told: Change[] = [];
    this.#all = undefined;
    for (const change of changes) {
      const { key, value } = change;
      this.#content.tombstones.delete(key);
      if (value === undefined) {
        this.#content.entries.delete(key);
        this.#content.tombstones.set(key, { position: change.position, at: change.at });
      } else {
        this.#content.entries.set(key, { value, position: change.position });
      }
      told.push({ key, value, revision: this.#revisionAt(change.position) });
    }
    return told;
  }

  /** Calls `listener` whenever a new epoch has begun. */
  onEpoch(listener: () => void): void {
    this.#onEpoch.add(listener);
  }

  /** Replaces everything: watches end, and must read again. Takes over the content. */
  replace(content: HeldContent): void {
    const { revision } = this;
    this.#content = content;
    this.#all = undefined;
    for (const reader of this.#readers) reader.fail(compacted(revision));
    if (revision.epoch !== content.epoch) for (const listener of this.#onEpoch) listener();
  }

  /** Drops the deletes before an instant: watches from before them get `COMPACTED` from now on. */
  forget(before: number): void {
    for (const [key, { position, at }] of this.#content.tombstones) {
      if (at >= before) break;
      this.#content.floor = Math.max(this.#content.floor, position);
      this.#content.tombstones.delete(key);
    }
  }

  async *watch({ from, signal, maxUnread }: WatchOptions): AsyncGenerator<WatchEvent> {
    if (this.#closed) throw storeClosed();
    const reader = new UnreadChanges(maxUnread);
    const state = from === undefined ? this.#state() : this.#missed(reader, from);
    this.#readers.add(reader);
    const onAbort = () => reader.end();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      for (const part of state) {
        if (signal.aborted) return;
        yield part;
      }
      while (!signal.aborted) {
        const event = reader.take();
        if (event === undefined) await reader.wait();
        else yield event;
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#readers.delete(reader);
    }
  }

  /** Ends every watch with an error, and those that begin later too. */
  close(): void {
    this.#closed = true;
    for (const reader of this.#readers) reader.fail(storeClosed());
  }

  *#state(): Generator<WatchEvent> {
    const { revision } = this;
    this.#all ??= this.read("");
    const entries = this.#all;
    for (let start = 0; start === 0 || start < entries.length; start += STATE_PART_ENTRIES) {
      const end = start + STATE_PART_ENTRIES;
      yield { kind: "state", entries: entries.slice(start, end), revision, synced: end >= entries.length };
    }
  }

  #missed(reader: UnreadChanges, from: Revision): WatchEvent[] {
    if (from.epoch !== this.#content.epoch || from.position < this.#content.floor) throw compacted(from);
    reader.after = from.position;
    if (from.position >= this.#content.position) return [];
    const missed: Change[] = [];
    for (const [key, held] of this.#content.entries) {
      if (held.position > from.position) missed.push(this.#entryOf(key, held));
    }
    for (const [key, { position }] of this.#content.tombstones) {
      if (position > from.position) missed.push({ key, value: undefined, revision: this.#revisionAt(position) });
    }
    return [{ kind: "commit", revision: this.revision, at: this.#content.at, changes: missed }];
  }

  #entryOf(key: string, held: Held): Entry {
    held.entry ??= { key, value: held.value, revision: this.#revisionAt(held.position) };
    return held.entry;
  }

  #revisionAt(position: number): Revision {
    return { epoch: this.#content.epoch, position };
  }
}
