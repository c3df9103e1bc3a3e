import type { StreamInfo } from "@nats-io/jetstream";
import { repeat } from "../runtime/repeat.ts";
import { DELETE_WINDOW_MS } from "../store/state-store.ts";
import type { BucketMessage } from "./batch-assembler.ts";
import { BucketIdentity, type BucketIdentityOptions } from "./bucket-identity.ts";
import { scanBucket } from "./bucket-scan.ts";
import type { BucketSession } from "./bucket-session.ts";
import { storeFailure } from "./failure.ts";
import { type Feed, openFeed } from "./feed.ts";
import { readTail } from "./log-tail.ts";
import { MirroredLog } from "./mirrored-log.ts";
import { SERVER_PATIENCE_MS, ServerPing } from "./server-ping.ts";

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

export interface BucketMirrorOptions extends BucketSession, Pick<BucketIdentityOptions, "isForReplacement" | "tick"> {}

/** Mirrors the bucket in this process: keeps a feed of its log open, and reopens it whenever it falls silent. */
export class BucketMirror {
  readonly log: MirroredLog;
  readonly #options: BucketMirrorOptions;
  readonly #identity: BucketIdentity;
  readonly #ping: ServerPing;
  readonly #ends: (() => void)[] = [];
  #feed: Feed | undefined;
  #isOpening = false;
  #isTicking = false;
  #isStopped = false;
  #isSuspect = false;
  #heardAt: number;
  #failures = 0;
  #notBefore = 0;
  readonly #status: { -readonly [F in Exclude<keyof MirrorStatus, "silentMs" | "frozen">]: MirrorStatus[F] } = {
    lag: 0,
    reopens: 0,
    repairs: 0,
    failure: undefined,
  };

  constructor(options: BucketMirrorOptions) {
    this.#options = options;
    this.log = new MirroredLog({ ...options, onOtherEpoch: () => this.#reopenNow() });
    this.#identity = new BucketIdentity({ ...options, log: this.log, tick: () => this.#tick() });
    this.#ping = new ServerPing(options);
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
      const info = await this.#info();
      this.log.liveFrom = info.state.last_seq;
      await this.#identity.accept(info);
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
    await this.log.loaded();
  }

  get status(): MirrorStatus {
    const silentMs = this.#options.clock.monotonic() - this.#heardAt;
    return { ...this.#status, silentMs, frozen: this.#identity.frozen };
  }

  /** Reports something wrong with the feed: it is reopened and the bucket checked, without waiting for a silence. */
  suspect(): void {
    this.#isSuspect = true;
  }

  /** Waits until everything that the log now holds is mirrored. Returns whether that happened in time. */
  async catchUp(withinMs: number): Promise<boolean> {
    const { state } = await this.#info();
    return (await this.log.reached(state.last_seq, withinMs)) !== undefined;
  }

  /** The safety net under the feed: reads the whole bucket, and repairs what the mirror missed. */
  async compare(): Promise<void> {
    const { log } = this;
    const { logger } = this.#options;
    if (this.#identity.frozen !== undefined || log.isLoading || this.#isStopped) return;
    try {
      const { subjects } = log.current;
      const scan = await scanBucket({ ...this.#options, subjects });
      // If another bucket took its place, the scan says nothing about what was held.
      if (await this.#identity.isReplaced(await this.#info())) return;
      if (!(await this.catchUp(SILENCE_LIMIT_MS))) return;
      // Another epoch has begun: what lay below this one's root is being removed, so the scan is void.
      if (scan.epoch?.root !== subjects.root || log.current.subjects !== subjects) return;
      const keys = log.repair(scan);
      if (keys.length === 0) return;
      this.#status.repairs += keys.length;
      logger.error({ keys: keys.slice(0, 20), count: keys.length }, "the mirror differed from the bucket; repaired");
    } catch (err) {
      logger.warn({ err }, "the mirror could not be compared with the bucket");
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const end of this.#ends) end();
    this.log.close();
    await this.#feed?.stop();
  }

  async #open(): Promise<void> {
    let isCurrent = true;
    let isBroken = false;
    const { subjects, last } = this.log;
    const feed = await openFeed({
      ...this.#options,
      subjects,
      from: last + 1,
      onMessage: (message) => {
        if (isCurrent && subjects === this.log.subjects && !this.#isStopped) this.#take(message);
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
    this.#isSuspect = isBroken || subjects !== this.log.subjects;
    if (!this.#isSuspect) this.#heardAt = this.#options.clock.monotonic();
  }

  /** Reads the log without a feed: the mirror is late then, but does not stand still until a feed can be opened. */
  async #readTail(): Promise<void> {
    const { subjects, last } = this.log;
    try {
      const messages = await readTail({ ...this.#options, subjects, from: last + 1 });
      for (const message of messages) if (subjects === this.log.subjects && !this.#isStopped) this.#take(message);
    } catch (err) {
      this.#options.logger.warn({ err }, "the log could not be read without a consumer either");
    }
  }

  #take(message: BucketMessage): void {
    this.#heardAt = this.#options.clock.monotonic();
    this.#failures = 0;
    this.#status.failure = undefined;
    this.#status.lag = message.pending;
    this.log.take(message);
  }

  #checkSilence(): void {
    const { clock, link } = this.#options;
    const silentMs = clock.monotonic() - this.#heardAt;
    const isFed = this.#feed !== undefined && !this.#isSuspect && silentMs < SILENCE_LIMIT_MS;
    if (silentMs > QUIET_MS && this.log.isRead && !this.#isTicking) void this.#tick();
    // Pinged before the limit, so it is known by then whether the server itself is silent.
    if (silentMs < SILENCE_LIMIT_MS - SERVER_PATIENCE_MS) this.#ping.forget();
    else this.#ping.ask();
    if (isFed || this.#isOpening || !link.isUp || clock.monotonic() < this.#notBefore) return;
    void this.#reopen(silentMs);
  }

  #reopenNow(): void {
    this.suspect();
    this.#notBefore = this.#options.clock.monotonic();
    if (!this.#isOpening) void this.#reopen(0);
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
      if (await this.#identity.isReplaced(info)) {
        this.#notBefore = clock.monotonic() + SILENCE_LIMIT_MS;
        return;
      }
      this.log.liveFrom = Math.max(info.state.last_seq, this.log.last);
      isSameLog = true;
      await this.#open();
      this.#status.reopens += 1;
      logger.warn({ silentMs, sequence: this.log.last }, "the feed of the mirror was reopened");
      if (silentMs > DELETE_WINDOW_MS) await this.compare();
    } catch (err) {
      this.#failures += 1;
      this.#status.failure = storeFailure(err, "the log cannot be read").message;
      const pauseMs = Math.min(LONGEST_PAUSE_MS, CHECK_INTERVAL_MS * 2 ** this.#failures) * (0.5 + random.next() / 2);
      this.#notBefore = clock.monotonic() + pauseMs;
      logger.warn({ err, silentMs }, "the feed of the mirror could not be reopened");
      if (isSameLog) await this.#readTail();
    } finally {
      this.#isOpening = false;
      if (this.#isStopped) await this.#feed?.stop();
    }
  }

  async #tick(): Promise<number | undefined> {
    this.#isTicking = true;
    return await this.#options.tick().finally(() => {
      this.#isTicking = false;
    });
  }

  async #info(): Promise<StreamInfo> {
    return await this.#options.manager.streams.info(this.log.subjects.stream);
  }
}
