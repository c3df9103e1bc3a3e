import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AssembledCommit, BatchAssembler, type BucketMessage } from "../../../src/nats/batch-assembler.ts";

/** A bucket that keeps the newest message of each key, and what all of it was after each batch. */
class ModelBucket {
  sequence = 0;
  readonly messages = new Map<string, BucketMessage>();
  readonly snapshots = new Map<number, Record<string, string>>();
  readonly #content = new Map<string, string>();

  /** Writes a batch: some hidden messages, the keys, and a tick in one of three slots. */
  write(keys: readonly { readonly key: string; readonly isDelete: boolean }[], hidden: number): void {
    const count = hidden + keys.length + 1;
    const value = (text: string) => new TextEncoder().encode(text);
    this.sequence += hidden;
    for (const [i, { key, isDelete }] of keys.entries()) {
      const text = `${this.sequence}`;
      const change = { key, value: isDelete ? undefined : value(text) };
      if (isDelete) this.#content.delete(key);
      else this.#content.set(key, text);
      this.#put(key, { index: hidden + i + 1, count, hidden }, change);
    }
    this.#put(`tick${this.snapshots.size % 3}`, { index: count, count, hidden }, undefined);
    this.snapshots.set(this.sequence, Object.fromEntries(this.#content));
  }

  /** The next message after a sequence, as a consumer would get it by now. */
  next(after: number): BucketMessage | undefined {
    const waiting = [...this.messages.values()].filter(({ sequence }) => sequence > after);
    const first = waiting.toSorted((a, b) => a.sequence - b.sequence)[0];
    return first && { ...first, pending: waiting.length - 1 };
  }

  #put(subject: string, mark: BucketMessage["mark"], change: BucketMessage["change"]): void {
    this.sequence += 1;
    const { sequence } = this;
    this.messages.set(subject, { sequence, mark, change, at: sequence, pending: 0, epoch: undefined, id: "" });
  }
}

const batch = fc.record({
  keys: fc.uniqueArray(fc.record({ key: fc.constantFrom("a", "b", "c", "d"), isDelete: fc.boolean() }), {
    maxLength: 4,
    selector: ({ key }) => key,
  }),
  hidden: fc.nat({ max: 2 }),
});

describe("BatchAssembler", () => {
  it("gives out nothing but states that were, however far its reader lags, and comes to the last", () => {
    const story = fc.array(fc.oneof(batch, fc.record({ read: fc.integer({ min: 1, max: 6 }) })), { maxLength: 60 });
    fc.assert(
      fc.property(story, (steps) => {
        const bucket = new ModelBucket();
        const assembler = new BatchAssembler();
        const held: Record<string, string> = {};
        let read = 0;
        const readNext = () => {
          const message = bucket.next(read);
          if (message === undefined) return false;
          read = message.sequence;
          const commit = assembler.take(message);
          if (commit !== undefined) expectWhole(bucket, held, commit);
          return true;
        };
        bucket.write([], 0);
        for (const step of steps) {
          if ("keys" in step) bucket.write(step.keys, step.hidden);
          else for (let i = 0; i < step.read; i++) readNext();
        }
        while (readNext());
        expect(held).toEqual(bucket.snapshots.get(bucket.sequence));
      }),
      { numRuns: 500 },
    );
  });

  it("passes over what it has read before", () => {
    const bucket = new ModelBucket();
    bucket.write([{ key: "a", isDelete: false }], 1);
    const assembler = new BatchAssembler();
    const [first, tick] = [bucket.next(0), bucket.next(2)];
    if (first === undefined || tick === undefined) throw new Error("the model holds no batch");
    expect(assembler.take(first)).toBeUndefined();
    expect(assembler.take(first)).toBeUndefined();
    expect(assembler.take(tick)).toMatchObject({ position: 3, changes: [{ key: "a", sequence: 2, position: 3 }] });
    expect(assembler.take(tick)).toBeUndefined();
  });
});

function expectWhole(bucket: ModelBucket, held: Record<string, string>, commit: AssembledCommit): void {
  for (const { key, value } of commit.changes) {
    if (value === undefined) delete held[key];
    else held[key] = new TextDecoder().decode(value);
  }
  expect(held).toEqual(bucket.snapshots.get(commit.position));
}
