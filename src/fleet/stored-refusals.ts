import { createHash } from "node:crypto";
import { type ControlPlaneError, toControlPlaneError } from "../domain/errors.ts";
import { printableStart } from "../domain/printable.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/logger.ts";
import { REFUSAL } from "../store/keys/refusal-record.ts";
import type { Change, StateStore, StoreOp, WatchEvent } from "../store/state-store.ts";
import {
  acknowledged,
  decodeMarks,
  encodeMarks,
  type Mark,
  type Marks,
  NO_MARKS,
  refusedToo,
  surplus,
} from "./refusal-marks.ts";

/** A storm of refusals costs ten commits a second, each of at most `NODES_PER_COMMIT` nodes. */
const PAUSE_MS = 100;
const RETRY_MS = 1000;
const NODES_PER_COMMIT = 200;
const BYTES_PER_COMMIT = 4_000_000;
const MAX_SHOWN_LENGTH = 120;

/** A key, and what will be stored under it. */
type Changed = readonly [key: string, { readonly nodeId: string; readonly marks: Marks }];

/**
 * Which resources each proxy refused and has not acknowledged since, kept in the store: any replica knows them, even after a
 * restart. They have to outlive the stream, because what Envoy presents of them at its next connection is not the truth.
 *
 * Calls return at once; the commits follow later, and are tried again while the store is away. What the store will never
 * take keeps nothing else from being stored: only this process knows it. `refusal-marks.ts` has the bounds.
 */
export class StoredRefusals {
  readonly #store: Pick<StateStore, "commit" | "now">;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #actor: string;
  /** By key, as folded from the log. */
  #stored = new Map<string, Marks>();
  /** What has been read so far, while the whole state is being read. */
  #reading: Map<string, Marks> | undefined;
  /** By key: changes made here and not committed yet. */
  readonly #changed = new Map<string, { readonly nodeId: string; readonly marks: Marks }>();
  #writing = false;
  /** How many nodes must be written one by one: the store does not take one of them. */
  #oneByOne = 0;

  constructor(options: { store: Pick<StateStore, "commit" | "now">; clock: Clock; log: Logger; replica: string }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#log = options.log.child({ component: "refusals" });
    this.#actor = `replica:${options.replica}`;
  }

  /** Follows the log. */
  fold(event: WatchEvent): void {
    if (event.kind === "commit") {
      write(this.#stored, event.changes);
      return;
    }
    this.#reading ??= new Map();
    write(this.#reading, event.entries);
    if (!event.synced) return;
    this.#stored = this.#reading;
    this.#reading = undefined;
  }

  load(nodeId: string): Iterable<Mark> {
    return this.#marksOf(keyOf(nodeId)).byName.values();
  }

  record(nodeId: string, { typeUrl, names }: { readonly typeUrl: string; readonly names: readonly string[] }): void {
    this.#change(nodeId, (marks) => refusedToo(marks, typeUrl, names, this.#store.now()));
  }

  clear(nodeId: string, typeUrl: string, names: readonly string[]): void {
    this.#change(nodeId, (marks) => acknowledged(marks, typeUrl, names));
  }

  #marksOf(key: string): Marks {
    return this.#changed.get(key)?.marks ?? this.#stored.get(key) ?? NO_MARKS;
  }

  #change(nodeId: string, change: (marks: Marks) => Marks): void {
    const key = keyOf(nodeId);
    const marks = change(this.#marksOf(key));
    this.#changed.set(key, { nodeId, marks });
    if (this.#writing) return;
    this.#writing = true;
    void this.#write();
  }

  async #write(): Promise<void> {
    const forgotten = this.#forget();
    const taken = this.#take();
    let pauseMs = PAUSE_MS;
    try {
      await this.#store.commit({
        ops: [...taken.map(writeOf), ...forgotten.map(deletionOf)],
        cause: { actor: this.#actor, operation: "-refusals", reason: "", requestId: "" },
      });
      for (const key of forgotten) this.#stored.delete(key);
      this.#settle(taken);
    } catch (thrown) {
      if (!this.#isolate(taken, toControlPlaneError(thrown))) pauseMs = RETRY_MS;
    }
    this.#clock.after(pauseMs, () => {
      if (this.#changed.size > 0) void this.#write();
      else this.#writing = false;
    });
  }

  /** Finds the one that the store does not take, and goes on without it. Returns false when the store itself is away. */
  #isolate(taken: readonly Changed[], err: ControlPlaneError): boolean {
    if (err.kind !== "exhausted" && err.kind !== "invalid") {
      this.#log.warn({ err }, "refusals could not be stored; trying again");
      return false;
    }
    const [only] = taken;
    if (taken.length > 1 || only === undefined) {
      this.#oneByOne = taken.length;
      return true;
    }
    const [, { nodeId, marks }] = only;
    const node = printableStart(nodeId, MAX_SHOWN_LENGTH);
    this.#log.error({ err, nodeId: node, marks: marks.byName.size }, "the store does not take the refusals of a proxy");
    this.#settle(taken);
    return true;
  }

  /** What the next commit will hold. */
  #take(): Changed[] {
    const most = this.#oneByOne > 0 ? 1 : NODES_PER_COMMIT;
    const taken: Changed[] = [];
    let bytes = 0;
    for (const entry of this.#changed) {
      bytes += entry[1].marks.bytes;
      if (taken.length === most || (taken.length > 0 && bytes > BYTES_PER_COMMIT)) break;
      taken.push(entry);
    }
    return taken;
  }

  /** Forgets what is beyond the bounds, and returns those of its keys that the store holds: at most one commit's worth. */
  #forget(): string[] {
    const all = new Map(this.#stored);
    for (const [key, { marks }] of this.#changed) all.set(key, marks);
    const keys = surplus(all, this.#store.now());
    if (keys.length > 0) this.#log.warn({ proxies: keys.length }, "the oldest refusals were forgotten");
    for (const key of keys) this.#changed.delete(key);
    return keys.filter((key) => this.#stored.has(key)).slice(0, NODES_PER_COMMIT);
  }

  #settle(taken: readonly Changed[]): void {
    for (const [key, written] of taken) {
      if (written.marks.byName.size === 0) this.#stored.delete(key);
      else this.#stored.set(key, written.marks);
      if (this.#changed.get(key) === written) this.#changed.delete(key);
    }
    this.#oneByOne = Math.max(0, this.#oneByOne - taken.length);
  }
}

function writeOf([key, { nodeId, marks }]: Changed): StoreOp {
  return marks.byName.size === 0 ? deletionOf(key) : { op: "put", key, value: encodeMarks(nodeId, marks) };
}

function deletionOf(key: string): StoreOp {
  return { op: "delete", key };
}

function write(marks: Map<string, Marks>, changes: readonly Change[]): void {
  for (const { key, value } of changes) {
    if (!key.startsWith(REFUSAL.keys)) continue;
    if (value === undefined) marks.delete(key);
    // Nothing is known of a record in another form: only refusals heard from now on count for the proxy.
    else marks.set(key, decodeMarks(value) ?? NO_MARKS);
  }
}

/** Node ids are free text of any length; keys are not. */
function keyOf(nodeId: string): string {
  return REFUSAL.key(createHash("sha256").update(nodeId).digest("hex").slice(0, 32));
}
