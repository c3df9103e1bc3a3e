import type { Backend } from "../domain/backend.ts";
import type { PlaneAddress } from "../domain/backend-networks.ts";
import { FIRST_PROFILE } from "../domain/encoding-profile.ts";
import { type ControlPlaneError, toControlPlaneError } from "../domain/errors.ts";
import type { Health } from "../domain/health.ts";
import type { LedsRecord } from "../domain/leds-record.ts";
import { backendOf, type Kind, type Name, parseStoreKey, serviceOf, storeKey } from "../domain/name.ts";
import type { ObjectOf, State } from "../domain/state.ts";
import type { MessageOf } from "../schema/object-message.ts";
import { decodeStored, type StoredObject } from "../schema/stored-object.ts";
import { type Revision, reached } from "../store/revision.ts";
import type { WatchEvent } from "../store/state-store.ts";
import { decodeLeds, ledsKey, parseLedsKey } from "./leds-record.ts";
import { decodeNetworksFilled, NETWORKS_FILLED_KEY, type NetworksFilled } from "./networks-filled.ts";
import { decodePlane, PLANES, type PlaneRecord } from "./plane-record.ts";
import { PlaneRecords } from "./plane-records.ts";
import { profileOf, SYSTEM_VERSION_KEY } from "./system-version.ts";

/** An object that a commit wrote or deleted. */
export interface ChangedObject {
  readonly kind: Kind;
  readonly name: Name;
}

/** What folding one commit changed. */
export interface Fold {
  readonly revision: Revision;
  readonly changed: readonly ChangedObject[];
  /** Services of which the LEDS record was written or deleted. */
  readonly leds: readonly Name[];
}

/** What a fold has changed so far. */
interface Changes {
  readonly objects: ChangedObject[];
  readonly leds: Name[];
}

interface StoredMessage<K extends Kind = Kind> {
  readonly message: MessageOf[K];
  readonly object: ObjectOf[K];
  readonly revision: Revision;
}

/**
 * This replica's copy of the state: the fold of the store's log. Every replica folds the same log into the same state.
 *
 * Readers see one revision at a time: a fold is synchronous, and listeners are told after it.
 */
export class Mirror implements State {
  #revision: Revision = { epoch: 0, position: 0 };
  #synced = false;
  /** While the whole state is being read: what was read so far. Nobody sees any of it before all of it is there. */
  #reading: Map<string, (changes: Changes) => void> | undefined;
  readonly #objects = new Map<Kind, Map<Name, StoredMessage>>();
  readonly #members = new Map<Name, Map<Name, Backend>>();
  readonly #verdicts = new Map<Name, Map<Name, Health>>();
  readonly #leds = new Map<Name, LedsRecord>();
  readonly #planes = new PlaneRecords();
  #profile = FIRST_PROFILE;
  #networksFilled: NetworksFilled = "no";
  readonly #unreadable = new Map<string, ControlPlaneError>();
  readonly #listeners = new Set<(fold: Fold) => void>();
  readonly #waiting = new Set<{ revision: Revision; resolve: () => void }>();

  /** The newest revision that is folded. */
  get revision(): Revision {
    return this.#revision;
  }

  /** Whether the state that was there at the start has been read completely. */
  get synced(): boolean {
    return this.#synced;
  }

  /** Stored objects that could not be read, by key. A replica with any is not ready. */
  get unreadable(): ReadonlyMap<string, ControlPlaneError> {
    return this.#unreadable;
  }

  get<K extends Kind>(kind: K, name: Name): ObjectOf[K] | undefined {
    return this.stored(kind, name)?.object;
  }

  *all<K extends Kind>(kind: K): Iterable<ObjectOf[K]> {
    for (const { object } of this.#objects.get(kind)?.values() ?? []) yield object as ObjectOf[K];
  }

  backendsOf(service: Name): Iterable<Backend> {
    return this.#members.get(service)?.values() ?? [];
  }

  healthOf(backend: Name): Iterable<Health> {
    return this.#verdicts.get(backend)?.values() ?? [];
  }

  /** How resources are encoded, by what was committed; `Infinity` for what only a later release can read. */
  get profile(): number {
    return this.#profile;
  }

  leds(service: Name): LedsRecord | undefined {
    return this.#leds.get(service);
  }

  /** Services that are delivered by LEDS, by what was committed. */
  ledsServices(): Iterable<Name> {
    return this.#leds.keys();
  }

  get planeAddresses(): readonly PlaneAddress[] {
    return this.#planes.addresses;
  }

  /** What replicas have recorded of themselves, by key. */
  get planes(): ReadonlyMap<string, PlaneRecord> {
    return this.#planes.byKey;
  }

  /** How far fleets that name no networks have been given some. */
  get networksFilled(): NetworksFilled {
    return this.#networksFilled;
  }

  /** The stored API message beside the domain object, and the revision that guards its next write. */
  stored<K extends Kind>(kind: K, name: Name): StoredMessage<K> | undefined {
    return this.#objects.get(kind)?.get(name) as StoredMessage<K> | undefined;
  }

  /** Folds one event of the store's watch. Keys of another purpose are passed over. */
  fold(event: WatchEvent): void {
    const changes = { objects: [] as ChangedObject[], leds: [] as Name[] };
    if (event.kind === "state") {
      this.#reading ??= new Map();
      for (const { key, value, revision } of event.entries) {
        this.#reading.set(key, this.#prepare(key, value, revision));
      }
      if (!event.synced) return;
      for (const write of this.#reading.values()) write(changes);
      this.#dropUnread(this.#reading, event.revision, changes);
      this.#reading = undefined;
    } else {
      for (const { key, value, revision } of event.changes) this.#prepare(key, value, revision)(changes);
    }
    this.#revision = event.revision;
    this.#synced = true;
    for (const listener of this.#listeners) {
      listener({ revision: event.revision, changed: changes.objects, leds: changes.leds });
    }
    for (const waiter of this.#waiting) {
      if (!reached(this.#revision, waiter.revision)) continue;
      this.#waiting.delete(waiter);
      waiter.resolve();
    }
  }

  /** Called after each fold, in the order of the log. The returned function ends it. */
  onFold(listener: (fold: Fold) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves once a revision is folded; rejects with the signal's reason when it is aborted first. */
  async reach(revision: Revision, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#synced && reached(this.#revision, revision)) return;
    await new Promise<void>((resolve, reject) => {
      const waiter = { revision, resolve };
      this.#waiting.add(waiter);
      signal?.addEventListener(
        "abort",
        () => {
          this.#waiting.delete(waiter);
          reject(signal.reason);
        },
        { once: true },
      );
    });
  }

  #dropUnread(read: ReadonlyMap<string, unknown>, revision: Revision, changes: Changes): void {
    const held = [
      SYSTEM_VERSION_KEY,
      NETWORKS_FILLED_KEY,
      ...[...this.#leds.keys()].map(ledsKey),
      ...this.#planes.byKey.keys(),
      ...this.#unreadable.keys(),
    ];
    for (const [kind, ofKind] of this.#objects) for (const name of ofKind.keys()) held.push(storeKey(kind, name));
    for (const key of held) if (!read.has(key)) this.#prepare(key, undefined, revision)(changes);
  }

  /** Reads what is stored under a key; what is returned takes it in. */
  #prepare(key: string, value: Uint8Array | undefined, revision: Revision): (changes: Changes) => void {
    if (key === SYSTEM_VERSION_KEY) {
      const profile = profileOf(value);
      return () => {
        this.#profile = profile;
      };
    }
    if (key === NETWORKS_FILLED_KEY) {
      const filled = decodeNetworksFilled(value);
      return () => {
        this.#networksFilled = filled;
      };
    }
    if (key.startsWith(PLANES)) {
      const record = value === undefined ? undefined : decodePlane(value);
      return () => this.#planes.write(key, record);
    }
    const service = parseLedsKey(key);
    if (service !== undefined) {
      const record = value === undefined ? undefined : decodeLeds(value);
      return (changes) => {
        if (record === undefined) this.#leds.delete(service);
        else this.#leds.set(service, record);
        changes.leds.push(service);
      };
    }
    const id = parseStoreKey(key);
    if (id === undefined) return () => undefined;
    const decoded = value === undefined ? undefined : this.#decode(key, value, revision);
    return (changes) => {
      changes.objects.push(id);
      if (value === undefined) this.#drop(key, id);
      else if (decoded !== undefined) this.#put(id, decoded, revision);
    };
  }

  #drop(key: string, { kind, name }: ChangedObject): void {
    this.#unreadable.delete(key);
    this.#objects.get(kind)?.delete(name);
    this.#index(kind, name, undefined);
  }

  #put({ kind, name }: ChangedObject, { message, object }: StoredObject, revision: Revision): void {
    const ofKind = this.#objects.get(kind) ?? new Map<Name, StoredMessage>();
    this.#objects.set(kind, ofKind);
    ofKind.set(name, { message, object, revision });
    this.#index(kind, name, object);
  }

  /** A stored object that cannot be read harms only itself (law 9): what was there before stays. */
  #decode(key: string, value: Uint8Array, revision: Revision): StoredObject | undefined {
    try {
      const decoded = decodeStored(key, value, revision);
      this.#unreadable.delete(key);
      return decoded;
    } catch (thrown) {
      this.#unreadable.set(key, toControlPlaneError(thrown));
      return undefined;
    }
  }

  #index(kind: Kind, name: Name, object: ObjectOf[Kind] | undefined): void {
    if (kind === "backend") put(this.#members, serviceOf(name), name, object as Backend | undefined);
    if (kind === "health") put(this.#verdicts, backendOf(name), name, object as Health | undefined);
  }
}

function put<T>(index: Map<Name, Map<Name, T>>, owner: Name, name: Name, value: T | undefined): void {
  const own = index.get(owner);
  if (value !== undefined) {
    if (own === undefined) index.set(owner, new Map([[name, value]]));
    else own.set(name, value);
    return;
  }
  own?.delete(name);
  if (own?.size === 0) index.delete(owner);
}
