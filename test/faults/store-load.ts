import type { OpenedNatsStore } from "../../src/nats/open-nats-store.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { eventually } from "../support/eventually.ts";

const KEYS = 20;
const WRITES_A_ROUND = 25;
/** A write that takes longer had to wait for the log: for its own mirror the store waits two seconds at most. */
const STANDSTILL_MS = 3_000;

interface Known {
  /** Nothing: deleted. */
  readonly value: string | undefined;
  readonly position: number;
}

export interface Round {
  /**
   * The longest time from the acknowledgement of a write to the reader being told of it. While the log takes no write it does
   * not run: until servers that lost their leader have another, nobody can read what was acknowledged last before.
   */
  readonly longestLagMs: number;
  /** What was acknowledged and did not reach the reader. */
  readonly lost: readonly string[];
}

/** Writes all the time through one store, puts and deletes, and follows through another. */
export class StoreLoad {
  readonly #writer: OpenedNatsStore;
  readonly #reader: OpenedNatsStore;
  readonly #stop = new AbortController();
  readonly #done: Promise<unknown>;
  readonly #acknowledged = new Map<string, Known>();
  readonly #told = new Map<string, Known>();
  readonly #errors: unknown[] = [];
  #written = 0;
  #isPaused = false;
  #isWriting = false;
  #toldPosition = 0;
  #longestLagMs = 0;
  /** Acknowledged, oldest first, and not told yet. */
  readonly #unheard: { readonly position: number; at: number }[] = [];
  /** When the write that is to be acknowledged next was first tried. */
  #triedAt: number | undefined;

  constructor(writer: OpenedNatsStore, reader: OpenedNatsStore) {
    this.#writer = writer;
    this.#reader = reader;
    this.#done = Promise.all([this.#write(), this.#follow()]);
  }

  /** Waits for some more writes, then stops writing, lets the reader come to the end, and looks for what it lacks. */
  async round(): Promise<Round> {
    this.#longestLagMs = 0;
    const explain = () => this.#errors.slice(-3).map(String).join("\n");
    const target = this.#written + WRITES_A_ROUND;
    await eventually(
      () => this.#written,
      (written) => written >= target,
      { what: "writes go on", timeoutMs: 40_000, explain },
    );
    this.#isPaused = true;
    await eventually(
      () => this.#isWriting,
      (isWriting) => !isWriting,
      { what: "the last write ends", explain },
    );
    const last = Math.max(...[...this.#acknowledged.values()].map(({ position }) => position));
    await eventually(
      () => this.#toldPosition,
      (position) => position >= last,
      { what: "the reader is told", timeoutMs: 20_000 },
    );
    const lost = [...this.#acknowledged].flatMap(([key, known]) => {
      const told = this.#told.get(key);
      const isThere = told !== undefined && (told.position > known.position || told.value === known.value);
      return isThere ? [] : [`${key}: ${JSON.stringify(known)}, told ${JSON.stringify(told)}`];
    });
    this.#isPaused = false;
    return { longestLagMs: this.#longestLagMs, lost };
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #write(): Promise<void> {
    for (let i = 0; !this.#stop.signal.aborted; i++) {
      await systemClock.sleep(5);
      if (this.#isPaused) continue;
      this.#isWriting = true;
      await this.#writeOne(i);
      this.#isWriting = false;
    }
  }

  async #writeOne(i: number): Promise<void> {
    const key = `load/${i % KEYS}`;
    const value = i % 7 === 0 ? undefined : String(i);
    this.#triedAt ??= performance.now();
    try {
      const { revision } = await this.#writer.state.commit({
        ops: [value === undefined ? { op: "delete", key } : { op: "put", key, value: new TextEncoder().encode(value) }],
        cause: { actor: "test", operation: "-load", reason: "", requestId: "" },
      });
      this.#acknowledged.set(key, { value, position: revision.position });
      this.#written += 1;
      const at = performance.now();
      if (at - this.#triedAt > STANDSTILL_MS) for (const write of this.#unheard) write.at = at;
      this.#triedAt = undefined;
      if (revision.position > this.#toldPosition) this.#unheard.push({ position: revision.position, at });
    } catch (error) {
      this.#errors.push(error);
      // What was not acknowledged may be there or not; nothing is expected of it.
      this.#acknowledged.delete(key);
      await systemClock.sleep(50);
    }
  }

  async #follow(): Promise<void> {
    for await (const event of this.#reader.state.watch({ signal: this.#stop.signal })) {
      const { position } = event.revision;
      this.#toldPosition = position;
      const heard = this.#unheard.findLastIndex((write) => write.position <= position) + 1;
      for (const { at } of this.#unheard.splice(0, heard)) {
        this.#longestLagMs = Math.max(this.#longestLagMs, performance.now() - at);
      }
      const told = event.kind === "commit" ? event.changes : event.entries;
      for (const { key, value, revision } of told) {
        const text = value && new TextDecoder().decode(value);
        this.#told.set(key, { value: text, position: revision.position });
      }
    }
  }
}
