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
import { HeldStore } from "../store/held-store.ts";
import type { Revision } from "../store/revision.ts";
import type { Batch, Committed, Guard, HistoryCopy, StoreOp } from "../store/state-store.ts";
import { positionOf } from "./batch-mark.ts";
import { batchWrites, tickWrite } from "./batch-writes.ts";
import type { BucketMirror } from "./bucket-mirror.ts";
import type { BucketSession } from "./bucket-session.ts";
import { epochUnreadable } from "./epoch-mark.ts";
import { storeFailure } from "./failure.ts";
import { Lanes } from "./lanes.ts";
import type { MirroredEpoch } from "./mirrored-log.ts";
import { NatsArchive } from "./nats-archive.ts";
import { readHistory } from "./nats-history.ts";
import { NatsJournal } from "./nats-journal.ts";
import { readEpoch } from "./newest-epoch.ts";
import { type PublishOutcome, publishBatch } from "./publish-batch.ts";

/** How long a commit waits for its own mirror, and a refusal waits for the mirror to catch up. */
const MIRROR_WAIT_MS = 2_000;
/** How long an allowed write is retried while others write to the same keys. */
const CONFLICT_PATIENCE_MS = 5_000;
/** Most batches under way at once. */
const MOST_AT_ONCE = 32;
const RETRY_PAUSE_MS = 20;
const TICK_TIMEOUT_MS = 2_000;

export interface NatsStoreOptions extends BucketSession {
  readonly mirror: BucketMirror;
  /** Closes everything that was opened with the store. */
  readonly onClose: () => Promise<void>;
}

/** The state in one JetStream bucket, read from this process's mirror of it. */
export class NatsStore extends HeldStore {
  readonly journal: NatsJournal;
  readonly archive: NatsArchive;
  readonly #options: NatsStoreOptions;
  /** With several copies, the server refuses a second write to a key, or a second guard on it, while one is under way. */
  readonly #lanes = new Lanes(MOST_AT_ONCE);
  /** The barrier that is under way, and the one that waits for its end and serves all callers that came meanwhile. */
  #barrier: Promise<Revision> | undefined;
  #nextBarrier: Promise<Revision> | undefined;

  constructor(options: NatsStoreOptions) {
    super();
    this.#options = options;
    const { log } = options.mirror;
    const assertOpen = () => this.assertOpen();
    this.journal = new NatsJournal(options, log, assertOpen);
    this.archive = new NatsArchive({ ...options, log, journal: this.journal, assertOpen });
  }

  protected get held() {
    return this.#options.mirror.log.held;
  }

  protected async write(batch: Batch): Promise<Committed> {
    return await this.#lanes.run(touchedKeys(batch), () => this.#commit(batch));
  }

  protected async copies(key: string): Promise<readonly HistoryCopy[]> {
    const { manager, mirror } = this.#options;
    return await readHistory(manager, key, mirror.log.current);
  }

  async barrier(): Promise<Revision> {
    this.assertOpen();
    if (this.#barrier === undefined) {
      this.#barrier = this.#passBarrier().finally(() => {
        this.#barrier = undefined;
      });
      return await this.#barrier;
    }
    this.#nextBarrier ??= this.#barrier
      .catch(() => undefined)
      .then(() => {
        this.#nextBarrier = undefined;
        return this.barrier();
      });
    return await this.#nextBarrier;
  }

  /** Writes an empty batch, so all mirrors hear that all is well. Returns its position, or undefined if it failed. */
  async tick(): Promise<number | undefined> {
    if (this.isClosed || !this.#options.link.isUp) return undefined;
    const outcome = await this.#publishTick(TICK_TIMEOUT_MS);
    return outcome.kind === "written" ? outcome.sequence : undefined;
  }

  now(): number {
    return this.#options.mirror.log.time.now();
  }

  protected async end(): Promise<void> {
    await this.#lanes.idle();
    await this.#options.onClose();
  }

  async #commit(batch: Batch): Promise<Committed> {
    const { clock, random } = this.#options;
    await this.#options.mirror.log.loaded();
    await this.#awaitGuards(batch);
    const until = clock.monotonic() + CONFLICT_PATIENCE_MS;
    while (clock.monotonic() < until) {
      this.#assertWritable();
      const refusal = this.#refusal(batch);
      if (refusal === undefined) {
        const outcome = await this.#publish(batch);
        const committed = await this.#settle(batch, outcome);
        if (committed !== undefined) return committed;
      }
      // Either the mirror or the server refused. The mirror may lag, so bring it up to date and ask it again.
      if (!(await this.#catchUp())) throw unreachable("the write was refused, and the log cannot be read to tell why");
      const sure = this.#refusal(batch);
      if (sure?.code !== "FENCED" && (await this.#isRequestSeen(batch))) throw requestSeen(batch.cause.requestId);
      if (sure !== undefined) throw sure;
      await clock.sleep(RETRY_PAUSE_MS * random.next());
    }
    throw unreachable(
      "the log keeps refusing the write, because others keep writing to the same keys; nothing was written, try again",
    );
  }

  /** A guard or fence may name a revision from another replica that this mirror has not reached yet. */
  async #awaitGuards({ ops, fence }: Batch): Promise<void> {
    const guards = [fence?.revision, ...ops.map(({ guard }) => guard)];
    const { epoch, position } = this.held.revision;
    const ahead = guards.filter((guard) => isRevision(guard) && guard.epoch === epoch && guard.position > position);
    if (ahead.length > 0) await this.#catchUp();
  }

  #assertWritable(): void {
    const { connection, mirror, link } = this.#options;
    const { frozen, failure } = mirror.status;
    if (frozen !== undefined) throw storeReplaced(`${frozen}; restore a backup, which begins a new epoch`);
    if (connection.isClosed()) throw storeClosed();
    if (!link.isUp) throw unreachable("no NATS server is connected; nothing was written, try again");
    if (failure !== undefined) throw unreachable(`${failure}; nothing was written, try again`);
  }

  #refusal(batch: Batch): ControlPlaneError | undefined {
    return failedGuard(batch, this.held.revision.epoch, (key) => this.held.held(key)?.position);
  }

  async #publish(batch: Batch): Promise<Published> {
    const { connection, random, mirror } = this.#options;
    const epoch = mirror.log.current;
    const after = this.held.revision.position;
    const { subjects } = epoch;
    const id = random.id();
    const { fence } = batch;
    // Set even without a guard: with several copies, a guarded write elsewhere would not see an unguarded one under way.
    const expected = (op: StoreOp) => mirror.log.seen.sequenceOf(op.key);
    const guard = fence && { subject: subjects.state(fence.key), sequence: mirror.log.seen.sequenceOf(fence.key) };
    const { hidden, shown } = batchWrites({
      batch,
      subjects,
      expected,
      record: isJournaled(batch) ? this.journal.record(batch, keysOf(batch), { id, subjects }) : undefined,
    });
    const tick = { ...this.#tickWrite(), ...(guard && { guard }) };
    const outcome = await publishBatch(connection, { id, hidden: hidden.length, writes: [...hidden, ...shown, tick] });
    return { outcome, id, epoch, after };
  }

  /** The result of a publish; undefined when it was refused. */
  async #settle(batch: Batch, { outcome, id, epoch, after }: Published): Promise<Committed | undefined> {
    const { mirror } = this.#options;
    if (outcome.kind === "conflict") return undefined;
    if (outcome.kind === "failed") throw storeFailure(outcome.error, "nothing was written");
    if (outcome.kind === "written" && outcome.sequence <= after) {
      // A log only grows, so this is another one, which the mirror has not noticed yet.
      mirror.suspect();
      throw outcomeUnknown("the log went back, so the write may not last; read before you write again");
    }
    if (outcome.kind === "written") return await this.#committed(batch, outcome.sequence, epoch);
    // The tick carries the batch's id: a mirror that is up to date has seen it, or it is not in the log.
    await this.#catchUp();
    const position = mirror.log.seen.positionOf(id);
    if (position !== undefined) return await this.#committed(batch, position, epoch);
    throw outcomeUnknown("no server answered the write in time; read before you write again", outcome.error);
  }

  /** A write to the root of an epoch counts only if it is in the log before the next epoch begins. */
  async #committed(batch: Batch, position: number, { epoch, subjects }: MirroredEpoch): Promise<Committed> {
    const { mirror } = this.#options;
    const { silentMs } = mirror.status;
    const at = await mirror.log.reached(position, silentMs > MIRROR_WAIT_MS ? 0 : MIRROR_WAIT_MS);
    const next = at === undefined ? await this.#epochInLog() : mirror.log.current;
    if (next.epoch !== epoch && next.began < position) {
      throw batch.fence === undefined ? mismatch(keysOf(batch)[0] ?? subjects.epoch) : fenced(batch.fence.key);
    }
    return { revision: { epoch, position }, at: at ?? this.now() };
  }

  async #epochInLog(): Promise<Pick<MirroredEpoch, "epoch" | "began">> {
    const { mirror, manager } = this.#options;
    const { subjects } = mirror.log.current;
    try {
      const { message, mark } = await readEpoch(manager, subjects);
      if (message === undefined) return mirror.log.current;
      if (mark === undefined) throw epochUnreadable(subjects.stream);
      return { epoch: mark.epoch, began: positionOf(message) };
    } catch (error) {
      throw outcomeUnknown("the write is in the log, but its epoch cannot be read; read before you write again", error);
    }
  }

  async #catchUp(): Promise<boolean> {
    return await this.#options.mirror.catchUp(MIRROR_WAIT_MS).catch(() => false);
  }

  async #isRequestSeen(batch: Batch): Promise<boolean> {
    return isJournaled(batch) && (await this.journal.has(batch.cause.requestId));
  }

  async #passBarrier(): Promise<Revision> {
    this.assertOpen();
    this.#assertWritable();
    const { mirror } = this.#options;
    const outcome = await this.#publishTick();
    if (outcome.kind !== "written") {
      throw storeFailure(
        outcome.kind === "conflict" ? "a tick was refused" : outcome.error,
        "the log cannot be written",
      );
    }
    const at = await mirror.log.reached(outcome.sequence, MIRROR_WAIT_MS * 2);
    if (at === undefined) throw unreachable("the log cannot be read");
    return this.held.revision;
  }

  async #publishTick(timeoutMs?: number): Promise<PublishOutcome> {
    const { connection, random } = this.#options;
    const writes = [this.#tickWrite()];
    return await publishBatch(connection, { id: random.id(), writes, ...(timeoutMs && { timeoutMs }) });
  }

  #tickWrite() {
    const { current, time } = this.#options.mirror.log;
    return tickWrite(current.subjects, time);
  }
}

interface Published {
  readonly outcome: PublishOutcome;
  readonly id: string;
  /** The epoch to whose root it was written. */
  readonly epoch: MirroredEpoch;
  /** The position that was mirrored before it was sent. */
  readonly after: number;
}

function keysOf({ ops }: Batch): readonly string[] {
  return ops.map(({ key }) => key);
}

/** The keys that the server checks for a batch: two batches that share one must not be under way together. */
function touchedKeys(batch: Batch): string[] {
  const { fence, cause } = batch;
  const keys = [...keysOf(batch)];
  if (fence !== undefined) keys.push(fence.key);
  if (isJournaled(batch) && cause.requestId !== "") keys.push(`request ${cause.requestId}`);
  return keys;
}

function isRevision(guard: Guard | undefined): guard is Revision {
  return typeof guard === "object";
}
