import { createHash } from "node:crypto";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type RefusalMark, RefusalMarksSchema } from "../gen/fairlead/store/v1/refusal_marks_pb.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/logger.ts";
import type { Change, StateStore, StoreOp, WatchEvent } from "../store/state-store.ts";

type Mark = Pick<RefusalMark, "typeUrl" | "name">;

/** Below it each node has a key. */
export const REFUSALS = "refusals/";
/** A storm of refusals costs ten commits a second, each of so many nodes at most. */
const PAUSE_MS = 100;
const RETRY_MS = 1000;
const NODES_PER_COMMIT = 200;

/**
 * Which resources each proxy refused and has not acknowledged since, kept in the store: any replica knows it, also after a
 * restart. It has to outlive the stream, because what Envoy presents of them at its next connection is not the truth.
 *
 * Calls return at once; the commits follow behind, and are tried again while the store is away.
 */
export class StoredRefusals {
  readonly #store: Pick<StateStore, "commit">;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #actor: string;
  /** By key, as the log says. */
  #stored = new Map<string, ReadonlyMap<string, Mark>>();
  /** The same while the whole state is being read. */
  #reading: Map<string, ReadonlyMap<string, Mark>> | undefined;
  /** By key: changed here and not committed yet. */
  readonly #changed = new Map<string, { readonly nodeId: string; readonly marks: Map<string, Mark> }>();
  #writing = false;

  constructor(options: { store: Pick<StateStore, "commit">; clock: Clock; log: Logger; replica: string }) {
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
    return this.#marksOf(keyOf(nodeId)).values();
  }

  record(nodeId: string, refusal: { readonly typeUrl: string; readonly names: readonly string[] }): void {
    const { typeUrl, names } = refusal;
    this.#change(nodeId, (marks) => {
      for (const name of names) marks.set(`${typeUrl} ${name}`, { typeUrl, name });
    });
  }

  clear(nodeId: string, typeUrl: string, names: readonly string[]): void {
    this.#change(nodeId, (marks) => {
      for (const name of names) marks.delete(`${typeUrl} ${name}`);
    });
  }

  #marksOf(key: string): ReadonlyMap<string, Mark> {
    return this.#changed.get(key)?.marks ?? this.#stored.get(key) ?? new Map();
  }

  #change(nodeId: string, change: (marks: Map<string, Mark>) => void): void {
    const key = keyOf(nodeId);
    const marks = new Map(this.#marksOf(key));
    change(marks);
    this.#changed.set(key, { nodeId, marks });
    if (this.#writing) return;
    this.#writing = true;
    void this.#write();
  }

  async #write(): Promise<void> {
    const taken = [...this.#changed].slice(0, NODES_PER_COMMIT);
    const ops = taken.map(([key, { nodeId, marks }]): StoreOp => {
      if (marks.size === 0) return { op: "delete", key };
      const value = toBinary(RefusalMarksSchema, create(RefusalMarksSchema, { nodeId, marks: [...marks.values()] }));
      return { op: "put", key, value };
    });
    let pauseMs = PAUSE_MS;
    try {
      await this.#store.commit({
        ops,
        cause: { actor: this.#actor, operation: "-refusals", reason: "", requestId: "" },
      });
      for (const [key, written] of taken) {
        this.#stored.set(key, written.marks);
        if (this.#changed.get(key) === written) this.#changed.delete(key);
      }
    } catch (err) {
      this.#log.warn({ err }, "refusals are not stored yet");
      pauseMs = RETRY_MS;
    }
    this.#clock.after(pauseMs, () => {
      if (this.#changed.size > 0) void this.#write();
      else this.#writing = false;
    });
  }
}

function write(marks: Map<string, ReadonlyMap<string, Mark>>, changes: readonly Change[]): void {
  for (const { key, value } of changes) {
    if (!key.startsWith(REFUSALS)) continue;
    if (value === undefined) marks.delete(key);
    else marks.set(key, indexed(decodeRefusalMarks(value) ?? []));
  }
}

/** Nothing for bytes of another form: then the proxy's refusals are those that it is heard of from now on. */
export function decodeRefusalMarks(bytes: Uint8Array): readonly RefusalMark[] | undefined {
  try {
    return fromBinary(RefusalMarksSchema, bytes).marks;
  } catch {
    return undefined;
  }
}

function indexed(marks: readonly RefusalMark[]): ReadonlyMap<string, Mark> {
  return new Map(marks.map(({ typeUrl, name }) => [`${typeUrl} ${name}`, { typeUrl, name }]));
}

/** Node ids are free text of any length; keys are not. */
function keyOf(nodeId: string): string {
  return REFUSALS + createHash("sha256").update(nodeId).digest("hex").slice(0, 32);
}
