import { historySlot } from "../store/batch.ts";
import type { Revision } from "../store/revision.ts";
import { type Batch, DELETE_WINDOW_MS, type StoreOp } from "../store/state-store.ts";
import type { MirroredLog } from "./mirrored-log.ts";
import type { BucketWrite } from "./publish-batch.ts";
import type { Subjects } from "./subjects.ts";

/** Longer than the window by as much as clocks and timestamps may be off. */
const MARKER_TTL_MS = DELETE_WINDOW_MS * 2;
const TICK_SLOT_MS = 300_000;
const TICK_SLOTS = 24;

/** The messages of a batch, except the tick that ends it; those that no mirror listens to are hidden and come first. */
export function batchWrites(options: {
  readonly batch: Batch;
  readonly subjects: Subjects;
  /** The sequence that the newest message of the operation's key must have. */
  readonly expected: (op: StoreOp) => number;
  /** Enters the batch in the journal. */
  readonly entry: BucketWrite | undefined;
}) {
  const { batch, subjects, expected, entry } = options;
  const hidden: BucketWrite[] = entry === undefined ? [] : [entry];
  const shown = batch.ops.map((op): BucketWrite => {
    const subject = subjects.state(op.key);
    const guarded = { subject, expected: expected(op) };
    if (op.op === "delete") {
      return { ...guarded, value: new Uint8Array(), purge: { markerTtlMs: MARKER_TTL_MS } };
    }
    if (op.history !== undefined) {
      hidden.push({
        subject: subjects.history(op.key, historySlot(op.history)),
        value: formatCopy({ generation: op.history.generation, value: op.history.value ?? op.value }),
      });
    }
    return { ...guarded, value: op.value };
  });
  return { hidden, shown };
}

/**
 * The last message of every batch. Its subject changes every five minutes and recurs after two hours: the last tick of each
 * slot stays, and so shows how old a position is. It states the store's time, if that is known.
 */
export function tickWrite({ subjects, time }: Pick<MirroredLog, "subjects" | "time">): BucketWrite {
  const subject = subjects.tick(Math.floor(time.now() / TICK_SLOT_MS) % TICK_SLOTS);
  return { subject, value: new TextEncoder().encode(`${time.known() ?? ""}`) };
}

const COPY_HEAD_BYTES = 24;

export interface StoredCopy {
  readonly generation: number;
  readonly value: Uint8Array;
  /** Revision of the copied write, if that is not of the batch that the copy lies in: it was brought from elsewhere. */
  readonly origin?: Revision | undefined;
}

/** Generation, the origin's epoch and position, eight bytes each, then the value. Epoch 0 means no origin. */
export function formatCopy({ generation, value, origin }: StoredCopy): Uint8Array {
  const copy = new Uint8Array(COPY_HEAD_BYTES + value.byteLength);
  const numbers = new DataView(copy.buffer);
  numbers.setBigUint64(0, BigInt(generation));
  numbers.setBigUint64(8, BigInt(origin?.epoch ?? 0));
  numbers.setBigUint64(16, BigInt(origin?.position ?? 0));
  copy.set(value, COPY_HEAD_BYTES);
  return copy;
}

/** Undefined for bytes that no release writes. */
export function parseCopy(copy: Uint8Array): StoredCopy | undefined {
  if (copy.byteLength < COPY_HEAD_BYTES) return undefined;
  const numbers = new DataView(copy.buffer, copy.byteOffset, copy.byteLength);
  const [generation, epoch, position] = [0, 8, 16].map((at) => Number(numbers.getBigUint64(at)));
  const origin = epoch === 0 ? undefined : { epoch: epoch ?? 0, position: position ?? 0 };
  return { generation: generation ?? 0, value: copy.subarray(COPY_HEAD_BYTES), origin };
}
