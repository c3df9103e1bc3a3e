import { compacted, readerTooSlow, storeClosed } from "./errors.ts";
import { formatRevision, type Revision } from "./revision.ts";
import type { Change, Entry, WatchEvent, WatchOptions } from "./state-store.ts";

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

/** The next commits of the log, applied together: `position` and `at` are those of the last. */
export interface HeldCommit {
  readonly position: number;
  readonly at: number;
  readonly changes: readonly HeldChange[];
}

export interface HeldContent {
  readonly epoch: number;
  readonly position: number;
  /** Time of the commit at `position`. */
  readonly at: number;
  /** Every delete after this position is among the tombstones. */
  readonly floor: number;
  readonly entries: Map<string, Held>;
  /** Oldest first. */
  readonly tombstones: Map<string, Tombstone>;
}

/**
 * The state of a store in memory, which answers its reads and feeds its watches. Its owner applies the commits of one log,
 * in order.
 */
export class HeldState {
  #epoch: number;
  #entries: Map<string, Held>;
  #tombstones: Map<string, Tombstone>;
  readonly #readers = new Set<Reader>();
  readonly #onEpoch = new Set<() => void>();
  #position: number;
  #at: number;
  #floor: number;
  #closed = false;
  /** All entries, as long as nothing has changed since they were read: many watches that begin at once share them. */
  #all: readonly Entry[] | undefined;

  /** Takes over the maps. */
  constructor({ epoch, position, at, floor, entries, tombstones }: HeldContent) {
    this.#epoch = epoch;
    this.#position = position;
    this.#at = at;
    this.#floor = floor;
    this.#entries = entries;
    this.#tombstones = tombstones;
  }

  get revision(): Revision {
    return this.#revisionAt(this.#position);
  }

  /** Time of the newest commit. */
  get at(): number {
    return this.#at;
  }

  get floor(): number {
    return this.#floor;
  }

  held(key: string): Held | undefined {
    return this.#entries.get(key);
  }

  entry(key: string): Entry | undefined {
    const held = this.held(key);
    return held && this.#entryOf(key, held);
  }

  read(prefix: string): Entry[] {
    const found: Entry[] = [];
    for (const [key, held] of this.#entries) if (key.startsWith(prefix)) found.push(this.#entryOf(key, held));
    return found;
  }

  /** Applies what comes next and tells every watch about it before it returns. */
  apply({ position, at, changes }: HeldCommit): void {
    this.#position = position;
    this.#at = at;
    const told = this.#write(changes);
    for (const reader of this.#readers) if (position > reader.after) reader.tell(this.revision, at, told);
  }

  /** Applies what was missed before, and tells every watch about it; the revision stays. */
  repair(changes: readonly HeldChange[]): void {
    const told = this.#write(changes);
    for (const reader of this.#readers) reader.tell(this.revision, this.#at, told);
  }

  #write(changes: readonly HeldChange[]): Change[] {
    const told: Change[] = [];
    this.#all = undefined;
    for (const change of changes) {
      const { key, value } = change;
      this.#tombstones.delete(key);
      if (value === undefined) {
        this.#entries.delete(key);
        this.#tombstones.set(key, { position: change.position, at: change.at });
      } else {
        this.#entries.set(key, { value, position: change.position });
      }
      told.push({ key, value, revision: this.#revisionAt(change.position) });
    }
    return told;
  }

  /** Calls `listener` whenever a new epoch has begun. */
  onEpoch(listener: () => void): void {
    this.#onEpoch.add(listener);
  }

  /** Replaces everything: watches end, and must read again. Takes over the maps. */
  replace({ epoch, position, at, floor, entries, tombstones }: HeldContent): void {
    const isNewEpoch = epoch !== this.#epoch;
    this.#epoch = epoch;
    this.#position = position;
    this.#at = at;
    this.#floor = floor;
    this.#entries = entries;
    this.#tombstones = tombstones;
    this.#all = undefined;
    for (const reader of this.#readers) reader.fail(compacted("before"));
    if (isNewEpoch) for (const listener of this.#onEpoch) listener();
  }

  /** Drops the deletes before an instant: watches from before them get `COMPACTED` from now on. */
  forget(before: number): void {
    for (const [key, { position, at }] of this.#tombstones) {
      if (at >= before) break;
      this.#floor = Math.max(this.#floor, position);
      this.#tombstones.delete(key);
    }
  }

  async *watch({ from, signal, maxUnread }: WatchOptions): AsyncGenerator<WatchEvent> {
    if (this.#closed) throw storeClosed();
    const reader = new Reader(maxUnread);
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

  #missed(reader: Reader, from: Revision): WatchEvent[] {
    if (from.epoch !== this.#epoch || from.position < this.#floor) throw compacted(formatRevision(from));
    reader.after = from.position;
    if (from.position >= this.#position) return [];
    const missed: Change[] = [];
    for (const [key, held] of this.#entries) {
      if (held.position > from.position) missed.push(this.#entryOf(key, held));
    }
    for (const [key, { position }] of this.#tombstones) {
      if (position > from.position) missed.push({ key, value: undefined, revision: this.#revisionAt(position) });
    }
    return [{ kind: "commit", revision: this.revision, at: this.#at, changes: missed }];
  }

  #entryOf(key: string, held: Held): Entry {
    held.entry ??= { key, value: held.value, revision: this.#revisionAt(held.position) };
    return held.entry;
  }

  #revisionAt(position: number): Revision {
    return { epoch: this.#epoch, position };
  }
}

/** What one watch has not read yet: the newest change of each key. */
class Reader {
  readonly #maxUnread: number;
  #pending = new Map<string, Change>();
  #revision: Revision | undefined;
  #at = 0;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  /** Commits up to this position are known to the reader. */
  after = -1;

  constructor(maxUnread = Number.POSITIVE_INFINITY) {
    this.#maxUnread = maxUnread;
  }

  tell(revision: Revision, at: number, changes: readonly Change[]): void {
    if (this.#failure !== undefined) return;
    for (const change of changes) this.#pending.set(change.key, change);
    this.#revision = revision;
    this.#at = at;
    if (this.#pending.size > this.#maxUnread) {
      this.#pending.clear();
      this.fail(readerTooSlow(this.#maxUnread));
    }
    this.#wake?.();
  }

  take(): WatchEvent | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#revision === undefined) return undefined;
    const event: WatchEvent = {
      kind: "commit",
      revision: this.#revision,
      at: this.#at,
      changes: [...this.#pending.values()],
    };
    this.#pending = new Map();
    this.#revision = undefined;
    return event;
  }

  async wait(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }

  end(): void {
    this.#wake?.();
  }

  fail(failure: Error): void {
    this.#failure = failure;
    this.#wake?.();
  }
}
