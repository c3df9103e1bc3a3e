import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { guardHolds } from "../../src/store/batch.ts";
import { formatRevision, type Revision } from "../../src/store/revision.ts";
import type { Batch, Committed, Guard } from "../../src/store/state-store.ts";
import { bytes, cause, type StoreFactory, type StoreUnderTest } from "./contract-store.ts";
import { startWatch, type WatchReader } from "./watch-reader.ts";

/** A guard as a law draws it: the revision of an earlier step is looked up when the batch is built. */
type DrawnGuard = "any" | "absent" | "present" | "current" | "stale";
interface DrawnOp {
  readonly key: number;
  readonly isDelete: boolean;
  readonly guard: DrawnGuard;
}
type Step = readonly DrawnOp[];

const op = fc.record({
  key: fc.nat({ max: 5 }),
  isDelete: fc.boolean(),
  guard: fc.constantFrom<DrawnGuard>("any", "any", "any", "absent", "present", "current", "stale"),
});
const step = fc.uniqueArray(op, { minLength: 0, maxLength: 4, selector: ({ key }) => key });
const steps = fc.array(step, { minLength: 1, maxLength: 25 });

/** A naive store: what each key holds, and what all of it was at every revision. */
class Model {
  readonly epoch: number;
  readonly live = new Map<string, { value: string; position: number }>();
  readonly snapshots: { revision: Revision; content: Record<string, string> }[] = [];

  constructor(start: Revision) {
    this.epoch = start.epoch;
    this.snapshots.push({ revision: start, content: {} });
  }

  accepts(batch: Batch): boolean {
    return batch.ops.every(({ key, guard }) => guardHolds(guard, this.live.get(key)?.position, this.epoch));
  }

  take(batch: Batch, { revision }: Committed): void {
    for (const change of batch.ops) {
      if (change.op === "delete") this.live.delete(change.key);
      else this.live.set(change.key, { value: Buffer.from(change.value).toString(), position: revision.position });
    }
    this.snapshots.push({ revision, content: this.content() });
  }

  content(): Record<string, string> {
    return Object.fromEntries([...this.live].map(([key, { value }]) => [key, value]));
  }

  /** What all of it was at a revision, which may lie between two commits of the model, or before the first. */
  contentAt({ position }: Revision): Record<string, string> {
    return this.snapshots.findLast(({ revision }) => revision.position <= position)?.content ?? {};
  }
}

/** Laws that hold for every store, tried with batches, guards and watches drawn at random. */
export function stateStoreLaws(name: string, factory: StoreFactory): void {
  const { runs } = factory;
  describe(`${name} keeps the laws of a state store`, () => {
    let store: StoreUnderTest;
    let drawn = 0;
    beforeAll(async () => {
      store = await factory.open();
    });
    afterAll(() => store?.dispose());

    const build = (model: Model, prefix: string, drawnOps: Step, value: string): Batch => ({
      cause: cause(),
      ops: drawnOps.map(({ key: n, isDelete, guard: drawnGuard }) => {
        const key = `${prefix}${n}`;
        const guard = guardFor(model, key, drawnGuard);
        return isDelete ? { op: "delete", key, guard } : { op: "put", key, guard, value: bytes(value) };
      }),
    });

    it("one writer: it agrees with a naive model, and so does every watch at each revision it tells", async () => {
      const scenario = fc.record({
        steps,
        watchAt: fc.array(fc.nat({ max: 24 }), { maxLength: 3 }),
        resume: fc.boolean(),
      });
      await fc.assert(
        fc.asyncProperty(scenario, async ({ steps, watchAt, resume }) => {
          const prefix = `law${drawn++}/`;
          const model = new Model(await store.state.barrier());
          const readers: { reader: WatchReader; folds: [Revision, Record<string, string | undefined>][] }[] = [];
          for (const [i, drawnOps] of steps.entries()) {
            for (const _ of watchAt.filter((at) => at === i)) readers.push(watchFrom(store, model, prefix, resume));
            const batch = build(model, prefix, drawnOps, `v${i}`);
            if (model.accepts(batch)) model.take(batch, await store.state.commit(batch));
            else await expect(store.state.commit(batch)).rejects.toMatchObject({ code: "VERSION_MISMATCH" });
          }
          const { entries, revision } = await store.state.read(prefix);
          expect(Object.fromEntries(entries.map(({ key, value }) => [key, Buffer.from(value).toString()]))).toEqual(
            model.content(),
          );
          for (const { key, revision } of entries) expect(revision.position).toBe(model.live.get(key)?.position);
          for (const { reader, folds } of readers) {
            await reader.reaches(revision);
            expect(await reader.end()).toBeUndefined();
            expect(reader.below(prefix)).toEqual(model.content());
            for (const [at, content] of folds) expect(content, formatRevision(at)).toEqual(model.contentAt(at));
          }
        }),
        { numRuns: runs },
      );
    });

    it("many writers: what was accepted, taken in the order of its revisions, is what the store holds", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(steps, { minLength: 2, maxLength: 4 }), async (writers) => {
          const prefix = `race${drawn++}/`;
          const start = await store.state.barrier();
          const model = new Model(start);
          const watching = watchFrom(store, model, prefix, true);
          const accepted: { batch: Batch; committed: Committed }[] = [];
          await Promise.all(
            writers.map(async (steps, w) => {
              const own = w % 2 === 0 ? store.state : store.other.state;
              for (const [i, drawnOps] of steps.entries()) {
                const seen = new Model(start);
                for (const { key, value, revision } of (await own.read(prefix)).entries) {
                  seen.live.set(key, { value: Buffer.from(value).toString(), position: revision.position });
                }
                const batch = build(seen, prefix, drawnOps, `w${w}-${i}`);
                try {
                  accepted.push({ batch, committed: await own.commit(batch) });
                } catch (error) {
                  expect(error).toMatchObject({ code: "VERSION_MISMATCH" });
                }
              }
            }),
          );
          accepted.sort((a, b) => a.committed.revision.position - b.committed.revision.position);
          expect(new Set(accepted.map(({ committed }) => committed.revision.position)).size).toBe(accepted.length);
          for (const { batch, committed } of accepted) {
            expect(model.accepts(batch)).toBe(true);
            model.take(batch, committed);
          }
          const end = await store.state.barrier();
          await watching.reader.reaches(end);
          await watching.reader.end();
          expect(watching.reader.below(prefix)).toEqual(model.content());
          for (const [at, content] of watching.folds) {
            expect(content, formatRevision(at)).toEqual(model.contentAt(at));
          }
        }),
        { numRuns: runs },
      );
    });
  });
}

/** Watches from the beginning, or from the middle of what the model has seen. */
function watchFrom({ state, other }: StoreUnderTest, model: Model, prefix: string, resume: boolean) {
  const folds: [Revision, Record<string, string | undefined>][] = [];
  const past = model.snapshots[Math.floor(model.snapshots.length / 2)];
  const onFold = (reader: WatchReader) => {
    if (reader.revision) folds.push([reader.revision, reader.below(prefix)]);
  };
  const from = resume && past ? { from: past.revision, start: new Map(Object.entries(past.content)) } : {};
  const target = model.snapshots.length % 2 === 0 ? state : other.state;
  return { reader: startWatch(target, { ...from, onFold }), folds };
}

function guardFor({ epoch, live }: Model, key: string, drawn: DrawnGuard): Guard {
  const position = live.get(key)?.position;
  if (drawn === "current") return position === undefined ? "absent" : { epoch, position };
  if (drawn === "stale") return { epoch, position: (position ?? 1) - 1 };
  return drawn;
}
