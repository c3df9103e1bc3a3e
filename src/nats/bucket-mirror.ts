import type { JetStreamManager, StreamInfo } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/logger.ts";
import type { Random } from "../runtime/random.ts";
import { repeat } from "../runtime/repeat.ts";
import { unreachable } from "../store/errors.ts";
import { HeldState } from "../store/held-state.ts";
import { DELETE_WINDOW_MS } from "../store/state-store.ts";
import { type AssembledCommit, BatchAssembler, type BucketMessage } from "./batch-assembler.ts";
import { missedChanges, scanBucket } from "./bucket-scan.ts";
import type { EpochMark } from "./epoch-mark.ts";
import { storeFailure } from "./failure.ts";
import { type Feed, type FeedOptions, openFeed } from "./feed.ts";
import { firstContent, type Loading, newLoading } from "./first-content.ts";
import type { Link } from "./link.ts";
import { readTail } from "./log-tail.ts";
import { LogTime } from "./log-time.ts";
import { PositionWaiters } from "./position-waiters.ts";
import { SeenWrites } from "./seen-writes.ts";
import { SERVER_PATIENCE_MS, ServerPing } from "./server-ping.ts";
import { type Subjects, subjectsOf } from "./subjects.ts";

/** A mirror that hears nothing for this long reopens its feed: no watch can be trusted to notice its own death. */
export const SILENCE_LIMIT_MS = 3_000;
/** After this long without a message, a mirror writes a tick. */
const QUIET_MS = 1_000;
const CHECK_INTERVAL_MS = 250;
const LONGEST_PAUSE_MS = 1_000;
/** The safety net: how often the whole bucket is compared with the mirror. */
const COMPARE_INTERVAL_MS = 600_000;

export interface MirrorStatus {
  /** Messages in the bucket that are not read yet, as the server reported with the last one. */
  readonly lag: number;
  readonly reopens: number;
  readonly repairs: number;
  /** Milliseconds since the last message was heard. */
  readonly silentMs: number;
  /** Why the silence could not be ended yet; undefined while the log is heard. */
  readonly failure: string | undefined;
  /** Why the mirror accepts nothing any more: the bucket is not the one that it knew. */
  readonly frozen: string | undefined;
}

export interface BucketMirrorOptions extends Pick<FeedOptions, "containment"> {
  readonly connection: NatsConnection;
  readonly link: Pick<Link, "isUp">;
  readonly manager: JetStreamManager;
  readonly bucket: string;
  readonly inboxPrefix: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly newestEpoch: (subjects: Subjects) => Promise<EpochMark>;
  /** Writes an empty batch, which keeps all mirrors awake. Resolves with its position, or undefined when it failed. */
  readonly tick: () => Promise<number | undefined>;
}

/** The epoch that is mirrored. */
export interface MirroredEpoch {
  readonly epoch: number;
  readonly subjects: Subjects;
  /** Position of the batch that began it: later writes to an earlier root do not count. */
  readonly began: number;
}

/** This process's copy of the bucket, maintained by a feed that is reopened whenever it falls silent. */
export class BucketMirror {
  readonly seen = new SeenWrites();
  readonly time: LogTime;
  readonly #options: BucketMirrorOptions;
  readonly #ping: ServerPing;
  readonly #waiters: PositionWaiters;
  readonly #ends: (() => void)[] = [];
  #held: HeldState | undefined;
  #current: MirroredEpoch | undefined;
  /** Subjects of the root that the feed delivers. */
  #subjects: Subjects;
  #created = "";
  #assembler = new BatchAssembler();
  #loading: Loading | undefined = newLoading();
  /** Messages beyond this sequence were written after the feed was opened, so their time is the present. */
  #liveFrom = 0;
  #feed: Feed | undefined;
  #isOpening = false;
  #isTicking = false;
  #isStopped = false;
  #isSuspect = false;
  #frozen: string | undefined;
  #heardAt: number;
  #failures = 0;
  #notBefore = 0;
  #reopens = 0;
  #repairs = 0;
  #lag = 0;
  #failure: string | undefined;

  constructor(options: BucketMirrorOptions) {
    this.#options = options;
    this.time = new LogTime(options.clock);
    this.#ping = new ServerPing(options);
    this.#waiters = new PositionWaiters(options.clock);
    this.#subjects = subjectsOf(options.bucket);
    this.#heardAt = options.clock.monotonic();
  }

  /**
   * Resolves once the present state has been read; rejects when the bucket cannot be read, and can be called again then.
   *
   * @throws ControlPlaneError `unavailable` / `STORE_UNREACHABLE`.
   */
  async start(): Promise<void> {
    this.#isOpening = true;
    try {
      const { created, state } = await this.#info();
      this.#created = created;
      this.#liveFrom = state.last_seq;
      this.#subjects = subjectsOf(this.#options.bucket, (await this.#options.newestEpoch(this.#subjects)).root);
      await this.#open();
    } catch (error) {
      throw storeFailure(error, "the log cannot be read");
    } finally {
      this.#isOpening = false;
    }
    const { clock, random } = this.#options;
    const checkMs = () => CHECK_INTERVAL_MS;
    const compareMs = () => COMPARE_INTERVAL_MS * (0.5 + random.next());
    this.#ends.push(
      repeat(clock, checkMs, () => this.#checkSilence()),
      repeat(clock, compareMs, () => this.compare()),
    );
    await this.loaded();
  }

  get held(): HeldState {
    if (this.#held === undefined) throw new Error("the mirror has not been read yet");
    return this.#held;
  }

  /** The epoch of `held`. */
  get current(): MirroredEpoch {
    if (this.#current === undefined) throw new Error("the mirror has not been read yet");
    return this.#current;
  }

  /** Resolves at once, or, while the whole state is being read, once it has been. */
  async loaded(): Promise<void> {
    while (this.#loading !== undefined) await this.#loading.isDone;
  }

  get status(): MirrorStatus {
    const silentMs = this.#options.clock.monotonic() - this.#heardAt;
    return {
      lag: this.#lag,
      reopens: this.#reopens,
      repairs: this.#repairs,
      silentMs,
      failure: this.#failure,
      frozen: this.#frozen,
    };
  }

  /** Time of the commit at a position or later, once it is mirrored; undefined if that takes longer than `withinMs`. */
  async reached(position: number, withinMs: number): Promise<number | undefined> {
    if (this.held.revision.position >= position) return this.held.at;
    return await this.#waiters.wait(position, withinMs);
  }

  /** Reports something wrong with the feed: it is reopened and the bucket checked, without waiting for a silence. */
  suspect(): void {
    this.#isSuspect = true;
  }

  /** Waits until everything that the log now holds is mirrored. Returns whether that happened in time. */
  async catchUp(withinMs: number): Promise<boolean> {
    const { state } = await this.#info();
    return (await this.reached(state.last_seq, withinMs)) !== undefined;
  }

  /** The safety net under the feed: reads the whole bucket, and repairs what the mirror missed. */
  async compare(): Promise<void> {
    if (this.#frozen !== undefined || this.#loading !== undefined || this.#isStopped) return;
    try {
      const { subjects } = this.current;
      const scan = await scanBucket({ ...this.#options, subjects });
      // If another bucket took its place, the scan says nothing about what was held.
      if (await this.#isReplaced(await this.#info())) return;
      if (!(await this.catchUp(SILENCE_LIMIT_MS))) return;
      // Another epoch has begun: what lay below this one's root is being removed, so the scan is void.
      if (scan.epoch?.root !== subjects.root || this.current.subjects !== subjects) return;
      const missed = missedChanges(scan, this.held, (key) => this.seen.sequenceOf(key));
      this.seen.repair(missed);
      if (missed.length === 0) return;
      this.#repairs += missed.length;
      this.#options.logger.error(
        { keys: missed.slice(0, 20).map(({ key }) => key), count: missed.length },
        "mirror repaired",
      );
      this.held.repair(missed);
    } catch (err) {
      this.#options.logger.warn({ err }, "mirror could not be compared with the bucket");
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const end of this.#ends) end();
    this.#waiters.close();
    this.#loading?.done();
    this.#held?.close();
    await this.#feed?.stop();
  }

  async #open(): Promise<void> {
    let isCurrent = true;
    let isBroken = false;
    const subjects = this.#subjects;
    const feed = await openFeed({
      ...this.#options,
      subjects,
      from: this.#assembler.last + 1,
      onMessage: (message) => {
        if (isCurrent && subjects === this.#subjects && !this.#isStopped) this.#take(message);
      },
      onBroken: () => {
        isBroken = true;
        if (isCurrent) this.suspect();
      },
    });
    this.#feed = {
      stop: async () => {
        isCurrent = false;
        await feed.stop();
      },
    };
    // It may have broken meanwhile, or a new epoch with another root may have begun.
    this.#isSuspect = isBroken || subjects !== this.#subjects;
    if (!this.#isSuspect) this.#heardAt = this.#options.clock.monotonic();
  }

  /** Reads the log without a feed: the mirror is late then, but does not stand still until a feed can be opened. */
  async #readTail(): Promise<void> {
    const subjects = this.#subjects;
    try {
      const messages = await readTail({ ...this.#options, subjects, from: this.#assembler.last + 1 });
      for (const message of messages) if (subjects === this.#subjects && !this.#isStopped) this.#take(message);
    } catch (err) {
      this.#options.logger.warn({ err }, "log could not be read without a consumer");
    }
  }

  #take(message: BucketMessage): void {
    const { clock } = this.#options;
    this.#heardAt = clock.monotonic();
    this.#failures = 0;
    this.#failure = undefined;
    this.#lag = message.pending;
    this.time.take(message, message.sequence > this.#liveFrom);
    this.#loading?.messages.push({ sequence: message.sequence, at: message.at });
    const commit = this.#assembler.take(message);
    if (commit === undefined) return;
    if (commit.epoch !== undefined && commit.epoch.root !== this.#subjects.root) {
      this.seen.seeIds(commit);
      this.#readAnew(commit.epoch);
      return;
    }
    // The store's own time, if the commit's final tick states it.
    const at = message.time ?? commit.at;
    if (this.#loading !== undefined) this.#begin(commit, at, this.#loading);
    else {
      this.seen.see(commit);
      this.held.apply({ ...commit, at });
    }
    this.held.forget(this.time.serverNow() - DELETE_WINDOW_MS);
    this.#waiters.reached(commit.position, at);
  }

  /** Reads another epoch, which has begun; the held state stays until all of the new one has been read. */
  #readAnew({ epoch, root }: EpochMark): void {
    const { bucket, clock, logger } = this.#options;
    logger.warn({ epoch }, "a new epoch has begun; reading its state");
    this.#subjects = subjectsOf(bucket, root);
    this.#assembler = new BatchAssembler();
    this.#loading ??= newLoading();
    this.#loading.messages.length = 0;
    this.suspect();
    this.#notBefore = clock.monotonic();
    if (!this.#isOpening) void this.#reopen(0);
  }

  #begin(commit: AssembledCommit, at: number, loading: Loading): void {
    const epoch = commit.epoch ?? { epoch: 1, position: 0 };
    this.seen.forgetKeys();
    this.seen.see(commit);
    const content = { ...firstContent(commit, loading.messages), at };
    this.#current = { epoch: epoch.epoch, subjects: this.#subjects, began: epoch.position };
    if (this.#held === undefined) this.#held = new HeldState(content);
    else this.#held.replace(content);
    this.#loading = undefined;
    loading.done();
  }

  #checkSilence(): void {
    const { clock, link } = this.#options;
    const silentMs = clock.monotonic() - this.#heardAt;
    const isFed = this.#feed !== undefined && !this.#isSuspect && silentMs < SILENCE_LIMIT_MS;
    if (silentMs > QUIET_MS && this.#held !== undefined && !this.#isTicking) void this.#tick();
    // Pinged before the limit, so it is known by then whether the server itself is silent.
    if (silentMs < SILENCE_LIMIT_MS - SERVER_PATIENCE_MS) this.#ping.forget();
    else this.#ping.ask();
    if (isFed || this.#isOpening || !link.isUp || clock.monotonic() < this.#notBefore) return;
    void this.#reopen(silentMs);
  }

  async #reopen(silentMs: number): Promise<void> {
    const { logger, clock, random } = this.#options;
    let isSameLog = false;
    this.#isOpening = true;
    try {
      if (await this.#ping.leaveDeaf()) return;
      void this.#feed?.stop();
      this.#feed = undefined;
      const info = await this.#info();
      if (await this.#isReplaced(info)) return;
      this.#liveFrom = Math.max(info.state.last_seq, this.#assembler.last);
      isSameLog = true;
      await this.#open();
      this.#reopens += 1;
      logger.warn({ silentMs, sequence: this.#assembler.last }, "mirror reopened");
      if (silentMs > DELETE_WINDOW_MS) await this.compare();
    } catch (err) {
      this.#failures += 1;
      this.#failure = storeFailure(err, "the log cannot be read").message;
      const pauseMs = Math.min(LONGEST_PAUSE_MS, CHECK_INTERVAL_MS * 2 ** this.#failures) * (0.5 + random.next() / 2);
      this.#notBefore = clock.monotonic() + pauseMs;
      logger.warn({ err, silentMs }, "mirror could not be reopened");
      if (isSameLog) await this.#readTail();
    } finally {
      this.#isOpening = false;
      if (this.#isStopped) await this.#feed?.stop();
    }
  }

  /**
   * Whether the bucket is no longer the one that was mirrored. If it has a new epoch, it is read from the start; otherwise
   * nothing is taken from it: whoever put it there may have brought back an older state.
   */
  async #isReplaced({ created, state }: StreamInfo): Promise<boolean> {
    const { logger } = this.#options;
    const { stream } = this.#subjects;
    const isSame = this.#frozen === undefined && created === this.#created;
    if (isSame && (state.last_seq >= this.#assembler.last || (await this.#isBeyond(this.#assembler.last))))
      return false;
    const mark = await this.#options.newestEpoch(this.#subjects);
    if (mark.epoch > (this.#held?.revision.epoch ?? 0)) {
      this.#created = created;
      this.#frozen = undefined;
      this.#readAnew(mark);
      return false;
    }
    this.#frozen = `stream ${stream} was replaced, or went back, without a new epoch`;
    this.#notBefore = this.#options.clock.monotonic() + SILENCE_LIMIT_MS;
    logger.error(
      { created, sequence: state.last_seq, mirrored: this.#assembler.last, epoch: mark.epoch },
      "mirror frozen: the bucket went back without a new epoch",
    );
    return true;
  }

  /**
   * Whether the log still has what was mirrored up to a position. A server that has just come back reports less than it has
   * until it has applied its Raft log; a write comes after everything in that log.
   */
  async #isBeyond(position: number): Promise<boolean> {
    const written = await this.#tick();
    if (written === undefined) throw unreachable("the log seems to have gone back, and no write can tell");
    return written > position;
  }

  async #tick(): Promise<number | undefined> {
    this.#isTicking = true;
    return await this.#options.tick().finally(() => {
      this.#isTicking = false;
    });
  }

  async #info(): Promise<StreamInfo> {
    return await this.#options.manager.streams.info(this.#subjects.stream);
  }
}
