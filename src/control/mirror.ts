import type { Backend } from "../domain/backend.ts";
import type { PlaneAddress } from "../domain/backend-networks.ts";
import type { Health } from "../domain/health.ts";
import { type Kind, type Name, parseStoreKey, storeKey } from "../domain/name.ts";
import type { ChangedObject } from "../domain/references.ts";
import type { ObjectOf, RecordKind, RecordOf, State } from "../domain/state.ts";
import { unlessAborted } from "../runtime/unless-aborted.ts";
import type { Stored, StoredObject } from "../schema/stored-object.ts";
import { RECORDS, type RecordId, recordAt } from "../store/keys/records.ts";
import { formatRevision, type Revision, reached, sameRevision } from "../store/revision.ts";
import type { WatchEvent } from "../store/state-store.ts";
import { addressesOf } from "./plane-records.ts";
import { ReferenceIndex } from "./reference-index.ts";
import { type SetAside, setAside } from "./set-aside.ts";
import { type ReadRecord, readRecord } from "./stored-record.ts";

/** What folding one commit changed. */
export interface Fold {
  readonly revision: Revision;
  readonly changed: readonly ChangedObject[];
  /** The records, apart from objects, that were written or deleted. */
  readonly records: readonly RecordId[];
  /** Keys of records that were set aside, or no longer are. */
  readonly setAside: readonly string[];
}

/** What a fold has changed so far. */
interface Changes {
  readonly changed: ChangedObject[];
  readonly records: RecordId[];
  readonly setAside: string[];
}

/**
 * This replica's copy of the state: the fold of the store's log. Every replica folds the same log into the same state.
 *
 * Readers always see a single revision: a fold is synchronous, and listeners are told after it.
 */
export class Mirror implements State {
  #revision: Revision = { epoch: 0, position: 0 };
  #synced = false;
  /** What was read so far, while the whole state is being read. Nobody sees any of it before all of it is there. */
  #reading: Map<string, (changes: Changes) => void> | undefined;
  readonly #objects = new Map<Kind, Map<Name, Stored>>();
  readonly #references = new ReferenceIndex();
  readonly #members = this.#references.relation("backend", "service");
  readonly #verdicts = this.#references.relation("health", "backend");
  readonly #records: { readonly [K in RecordKind]: Map<Name, RecordOf[K]> } = {
    profile: new Map(),
    leds: new Map(),
    plane: new Map(),
    presence: new Map(),
    networks: new Map(),
  };
  #planeAddresses: readonly PlaneAddress[] = [];
  readonly #setAside = new Map<string, SetAside>();
  readonly #listeners = new Set<(fold: Fold) => void>();
  readonly #waiting = new Set<{ revision: Revision; resolve: () => void }>();
  readonly #contain: (input: string, run: () => void) => void;

  /** @param contain Runs each listener, given what the listener hears of; nothing that one throws stops the others. */
  constructor(contain: (input: string, run: () => void) => void = (_input, run) => run()) {
    this.#contain = contain;
  }

  /** The newest revision that is folded. */
  get revision(): Revision {
    return this.#revision;
  }

  /** Whether the state that was there at the start has been read completely. */
  get synced(): boolean {
    return this.#synced;
  }

  /** Records that cannot be read, or not all of them, by key. They harm nothing else (law 9). */
  get setAside(): ReadonlyMap<string, SetAside> {
    return this.#setAside;
  }

  /** Whether the stored object cannot be read, or not all of it. */
  isSetAside(kind: Kind, name: Name): boolean {
    return this.#setAside.size > 0 && this.#setAside.has(storeKey(kind, name));
  }

  get<K extends Kind>(kind: K, name: Name): ObjectOf[K] | undefined {
    return this.stored(kind, name)?.object;
  }

  *all<K extends Kind>(kind: K): Iterable<ObjectOf[K]> {
    for (const { object } of this.#objects.get(kind)?.values() ?? []) yield object as ObjectOf[K];
  }

  referring<K extends Kind>(kind: K, to: Kind, name: Name): Iterable<ObjectOf[K]> {
    return this.#references.relation(kind, to).get(name)?.values() ?? [];
  }

  backendsOf(service: Name): Iterable<Backend> {
    return this.#members.get(service)?.values() ?? [];
  }

  healthOf(backend: Name): Iterable<Health> {
    return this.#verdicts.get(backend)?.values() ?? [];
  }

  record<K extends RecordKind>(kind: K, name: Name = ""): RecordOf[K] | undefined {
    return this.#records[kind].get(name);
  }

  /** All records of a kind, by name. */
  records<K extends RecordKind>(kind: K): ReadonlyMap<Name, RecordOf[K]> {
    return this.#records[kind];
  }

  get planeAddresses(): readonly PlaneAddress[] {
    return this.#planeAddresses;
  }

  /** The domain object with the stored API message, and the revision that guards its next write. */
  stored<K extends Kind>(kind: K, name: Name): Stored<K> | undefined {
    return this.#objects.get(kind)?.get(name) as Stored<K> | undefined;
  }

  /** Folds one event of the store's watch. Whatever it brings, what cannot be read is set aside and the rest is folded. */
  fold(event: WatchEvent): void {
    const changes: Changes = { changed: [], records: [], setAside: [] };
    if (event.kind === "state") {
      this.#reading ??= new Map();
      for (const { key, value, revision } of event.entries) {
        this.#reading.set(key, this.#prepare(key, value, revision, true));
      }
      if (!event.synced) return;
      for (const write of this.#reading.values()) write(changes);
      this.#dropUnread(this.#reading, event.revision, changes);
      this.#reading = undefined;
    } else {
      for (const { key, value, revision } of event.changes) this.#prepare(key, value, revision, false)(changes);
    }
    this.#revision = event.revision;
    this.#synced = true;
    const fold = { revision: event.revision, ...changes };
    const input = `revision ${formatRevision(event.revision)}`;
    for (const listener of this.#listeners) this.#contain(input, () => listener(fold));
    for (const waiter of this.#waiting) {
      if (reached(this.#revision, waiter.revision)) waiter.resolve();
    }
  }

  /** Calls the listener after each fold, in the order of the log. The returned function unsubscribes it. */
  onFold(listener: (fold: Fold) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves once a revision is folded; rejects with the signal's reason when it is aborted first. */
  async reach(revision: Revision, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#synced && reached(this.#revision, revision)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiter = { revision, resolve };
    this.#waiting.add(waiter);
    await (signal === undefined ? promise : unlessAborted(promise, signal)).finally(() => this.#waiting.delete(waiter));
  }

  #dropUnread(read: ReadonlyMap<string, unknown>, revision: Revision, changes: Changes): void {
    const held = [...this.#setAside.keys()];
    for (const kind of Object.keys(RECORDS) as RecordKind[]) {
      for (const name of this.#records[kind].keys()) held.push(RECORDS[kind].key(name));
    }
    for (const [kind, ofKind] of this.#objects) for (const name of ofKind.keys()) held.push(storeKey(kind, name));
    for (const key of held) if (!read.has(key)) this.#prepare(key, undefined, revision, true)(changes);
  }

  /**
   * Reads what is stored under a key. The returned function applies it.
   *
   * @param isFound Whether it was found while the whole state was read.
   */
  #prepare(
    key: string,
    value: Uint8Array | undefined,
    revision: Revision,
    isFound: boolean,
  ): (changes: Changes) => void {
    if (value === undefined) return (changes) => this.#drop(key, changes);
    const read = readRecord(key, value, revision);
    const { content } = read;
    return (changes) => {
      // This comes before what was read replaces what was there.
      this.#note(key, read, { revision, isFound }, changes);
      if (content?.is === "object") this.#put(content.stored, revision, changes);
      else if (content?.is === "record") this.#write(content, content.record, changes);
      else if (content === undefined) {
        const id = parseStoreKey(key);
        if (id !== undefined) changes.changed.push({ ...id, before: this.get(id.kind, id.name) });
        const record = recordAt(key);
        if (record !== undefined && !this.#synced) this.#write(record, RECORDS[record.kind].unread, changes);
      }
    };
  }

  #write({ kind, name }: RecordId, content: RecordOf[RecordKind] | undefined, changes: Changes): void {
    const ofKind = this.#records[kind] as Map<Name, RecordOf[RecordKind]>;
    if (content === undefined) ofKind.delete(name);
    else ofKind.set(name, content);
    if (kind === "plane") this.#planeAddresses = addressesOf(this.#records.plane.values(), this.#planeAddresses);
    changes.records.push({ kind, name });
  }

  #drop(key: string, changes: Changes): void {
    if (this.#setAside.delete(key)) changes.setAside.push(key);
    const record = recordAt(key);
    if (record !== undefined) this.#write(record, undefined, changes);
    const id = parseStoreKey(key);
    if (id === undefined) return;
    const { kind, name } = id;
    const before = this.get(kind, name);
    changes.changed.push({ kind, name, before });
    this.#objects.get(kind)?.delete(name);
    this.#references.write(kind, before, undefined);
  }

  #put({ kind, name, message, whole, object }: StoredObject, revision: Revision, changes: Changes): void {
    const ofKind = this.#objects.get(kind) ?? new Map<Name, Stored>();
    this.#objects.set(kind, ofKind);
    const before = ofKind.get(name)?.object;
    changes.changed.push({ kind, name, before });
    ofKind.set(name, { message, whole, object, revision });
    this.#references.write(kind, before, object);
  }

  /** Sets a record aside, or stops doing so. One that is read again unchanged stays as it was first set aside. */
  #note(
    key: string,
    { content, problem }: ReadRecord,
    { revision, isFound }: { readonly revision: Revision; readonly isFound: boolean },
    changes: Changes,
  ): void {
    if (problem === undefined) {
      if (this.#setAside.delete(key)) changes.setAside.push(key);
      return;
    }
    const known = this.#setAside.get(key);
    if (known !== undefined && isFound && sameRevision(known.revision, revision)) return;
    const id = parseStoreKey(key);
    const isKept = id !== undefined && this.#objects.get(id.kind)?.has(id.name) === true && known?.isUsed !== true;
    const isWithheld = known !== undefined && known.withheld !== "nothing";
    const circumstances = { isUsed: content !== undefined, isKept, isFound: isFound || isWithheld };
    this.#setAside.set(key, setAside({ key, revision, problem }, circumstances));
    changes.setAside.push(key);
  }
}
