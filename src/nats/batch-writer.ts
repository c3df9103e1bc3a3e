import type { ControlPlaneError } from "../domain/errors.ts";
import { failedGuard, isJournaled } from "../store/batch.ts";
import {
  fenced,
  mismatch,
  outcomeUnknown,
  requestSeen,
  storeClosed,
  storeReplaced,
  unreachable,
} from "../store/errors.ts";
import type { Revision } from "../store/revision.ts";
import type { Batch, Committed, Guard, StoreOp } from "../store/state-store.ts";
import { positionOf } from "./batch-mark.ts";
import { batchWrites, tickWrite } from "./batch-writes.ts";
import type { BucketMirror } from "./bucket-mirror.ts";
import type { BucketSession } from "./bucket-session.ts";
import { epochUnreadable, readEpoch } from "./epoch-mark.ts";
import { storeFailure } from "./failure.ts";
import { enterWrite } from "./journal-message.ts";
import { Lanes } from "./lanes.ts";
import type { MirroredEpoch } from "./mirrored-log.ts";
import type { NatsJournal } from "./nats-journal.ts";
import { type PublishOutcome, publishBatch } from "./publish-batch.ts";

/** How long a commit waits for its own mirror, and one that was refused waits for the mirror to catch up. */
const MIRROR_WAIT_MS = 2_000;
/** How long an allowed write is retried while others write to the same keys. */
const CONFLICT_PATIENCE_MS = 5_000;
/** Most batches under way at once. */
const MOST_AT_ONCE = 32;
const RETRY_PAUSE_MS = 20;

export interface BatchWriterOptions extends BucketSession {
  readonly mirror: BucketMirror;
  readonly journal: Pick<NatsJournal, "has">;
}

/** Writes batches to the bucket, and finds out what became of each. */
export class BatchWriter {
  readonly #options: BatchWriterOptions;
  /** With several copies, the server refuses a second write to a key, or a second guard on it, while one is under way. */
  readonly #lanes = new Lanes(MOST_AT_ONCE);

  constructor(options: BatchWriterOptions) {
    this.#options = options;
  }

  /** Commits a batch, as `StateStore.commit` says. */
  async write(batch: Batch): Promise<Committed> {
    return await this.#lanes.run(touchedKeys(batch), () => this.#write(batch));
  }

  /** Writes an empty batch, for which all mirrors wait. */
  async tick(timeoutMs?: number): Promise<PublishOutcome> {
    const { connection, random, mirror } = this.#options;
    const writes = [tickWrite(mirror.log)];
    return await publishBatch(connection, { id: random.id(), writes, ...(timeoutMs && { timeoutMs }) });
  }

  /** Resolves when all batches that have arrived by now have ended. */
  async idle(): Promise<void> {
    await this.#lanes.idle();
  }

  assertWritable(): void {
    const { connection, mirror, link } = this.#options;
    const { frozen, failure } = mirror.status;
    if (frozen !== undefined) throw storeReplaced(`${frozen}; restore a backup, which begins a new epoch`);
    if (connection.isClosed()) throw storeClosed();
    if (!link.isUp) throw unreachable("no NATS server is connected; nothing was written, try again");
    if (failure !== undefined) throw unreachable(`${failure}; nothing was written, try again`);
  }

  async #write(batch: Batch): Promise<Committed> {
    const { clock, random, mirror, journal } = this.#options;
    const { requestId } = batch.cause;
    await mirror.log.loaded();
    await this.#awaitGuards(batch);
    const until = clock.monotonic() + CONFLICT_PATIENCE_MS;
    while (clock.monotonic() < until) {
      this.assertWritable();
      const committed = this.#failedGuard(batch) === undefined ? await this.#attempt(batch) : undefined;
      if (committed !== undefined) return committed;
      // Either the mirror or the server refused. The mirror may lag, so bring it up to date and ask it again.
      if (!(await this.#catchUp())) throw unreachable("the write was refused, and the log cannot be read to tell why");
      const failed = this.#failedGuard(batch);
      if (failed?.code !== "FENCED" && isJournaled(batch) && (await journal.has(requestId)))
        throw requestSeen(requestId);
      if (failed !== undefined) throw failed;
      await clock.sleep(RETRY_PAUSE_MS * random.next());
    }
    throw unreachable(
      "the log keeps refusing the write, because others keep writing to the same keys; nothing was written, try again",
    );
  }

  /** A guard may name a revision from another replica that this mirror has not reached yet. */
  async #awaitGuards({ ops, guard: ofBatch }: Batch): Promise<void> {
    const { epoch, position } = this.#options.mirror.log.held.revision;
    const isAhead = (guard: Guard | undefined) =>
      isRevision(guard) && guard.epoch === epoch && guard.position > position;
    if ([ofBatch?.revision, ...ops.map(({ guard }) => guard)].some(isAhead)) await this.#catchUp();
  }

  #failedGuard(batch: Batch): ControlPlaneError | undefined {
    const { held } = this.#options.mirror.log;
    return failedGuard(batch, held.revision.epoch, (key) => held.held(key)?.position);
  }

  /** Sends the batch once; undefined when the server refused it. */
  async #attempt(batch: Batch): Promise<Committed | undefined> {
    const { connection, random, mirror } = this.#options;
    const { current, held, seen } = mirror.log;
    const { subjects } = current;
    const before = held.revision.position;
    const id = random.id();
    const { cause, guard: ofBatch } = batch;
    const { hidden, shown } = batchWrites({
      batch,
      subjects,
      // Set even without a guard: with several copies, a guarded write elsewhere would not see an unguarded one under way.
      expected: (op: StoreOp) => seen.sequenceOf(op.key),
      entry: isJournaled(batch) ? enterWrite(cause, keysOf(batch), { id, subjects }) : undefined,
    });
    const guard = ofBatch && { subject: subjects.state(ofBatch.key), sequence: seen.sequenceOf(ofBatch.key) };
    const tick = { ...tickWrite(mirror.log), ...(guard && { guard }) };
    const outcome = await publishBatch(connection, { id, hidden: hidden.length, writes: [...hidden, ...shown, tick] });
    if (outcome.kind === "conflict") return undefined;
    if (outcome.kind === "failed") throw storeFailure(outcome.error, "nothing was written");
    if (outcome.kind === "written") {
      if (outcome.sequence > before) return await this.#committed(batch, outcome.sequence, current);
      // A log only grows, so this is another one, which the mirror has not noticed yet.
      mirror.suspect();
      throw outcomeUnknown("the log went back, so the write may not last; read before you write again");
    }
    // The tick carries the batch's id: a mirror that is up to date has seen it, or it is not in the log.
    await this.#catchUp();
    const position = seen.positionOf(id);
    if (position !== undefined) return await this.#committed(batch, position, current);
    throw outcomeUnknown("no server answered the write in time; read before you write again", outcome.error);
  }

  /** A write to the root of an epoch counts only if it is in the log before the next epoch begins. */
  async #committed(batch: Batch, position: number, { epoch, subjects }: MirroredEpoch): Promise<Committed> {
    const { log, status } = this.#options.mirror;
    const at = await log.reached(position, status.silentMs > MIRROR_WAIT_MS ? 0 : MIRROR_WAIT_MS);
    const next = at === undefined ? await this.#epochInLog() : log.current;
    if (next.epoch !== epoch && next.began < position) {
      throw batch.guard === undefined ? mismatch(keysOf(batch)[0] ?? subjects.epoch) : fenced(batch.guard.key);
    }
    return { revision: { epoch, position }, at: at ?? log.time.now() };
  }

  async #epochInLog(): Promise<Pick<MirroredEpoch, "epoch" | "began">> {
    const { mirror, manager } = this.#options;
    const { current } = mirror.log;
    try {
      const { message, mark } = await readEpoch(manager, current.subjects);
      if (message === undefined) return current;
      if (mark === undefined) throw epochUnreadable(current.subjects.stream);
      return { epoch: mark.epoch, began: positionOf(message) };
    } catch (error) {
      throw outcomeUnknown("the write is in the log, but its epoch cannot be read; read before you write again", error);
    }
  }

  async #catchUp(): Promise<boolean> {
    return await this.#options.mirror.catchUp(MIRROR_WAIT_MS).catch(() => false);
  }
}

function keysOf({ ops }: Batch): readonly string[] {
  return ops.map(({ key }) => key);
}

/** The keys that the server checks for a batch: two batches that share one must not be under way together. */
function touchedKeys(batch: Batch): string[] {
  const { guard, cause } = batch;
  const keys = [...keysOf(batch)];
  if (guard !== undefined) keys.push(guard.key);
  if (isJournaled(batch) && cause.requestId !== "") keys.push(`request ${cause.requestId}`);
  return keys;
}

function isRevision(guard: Guard | undefined): guard is Revision {
  return typeof guard === "object";
}
