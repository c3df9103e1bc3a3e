import { HeldState } from "../store/held-state.ts";
import { DELETE_WINDOW_MS } from "../store/state-store.ts";
import { type AssembledCommit, BatchAssembler, type BucketMessage } from "./batch-assembler.ts";
import { type BucketScan, missedChanges } from "./bucket-scan.ts";
import type { BucketSession } from "./bucket-session.ts";
import type { EpochMark } from "./epoch-mark.ts";
import { firstContent, type Loading, newLoading } from "./first-content.ts";
import { LogTime } from "./log-time.ts";
import { PositionWaiters } from "./position-waiters.ts";
import { SeenWrites } from "./seen-writes.ts";
import { type Subjects, subjectsOf } from "./subjects.ts";

/** The epoch that is mirrored. */
export interface MirroredEpoch {
  readonly epoch: number;
  readonly subjects: Subjects;
  /** Position of the batch that began it: later writes to an earlier root do not count. */
  readonly began: number;
}

export interface MirroredLogOptions extends Pick<BucketSession, "bucket" | "clock" | "logger"> {
  /** Called when another epoch must be read: nothing is taken but messages of its root, from the first on. */
  readonly onOtherEpoch: () => void;
}

/** The log of a bucket as far as this process has taken it in, and the state that it amounts to. */
export class MirroredLog {
  readonly seen = new SeenWrites();
  readonly time: LogTime;
  /** Messages beyond this sequence are written while they are listened for, so their time is the present. */
  liveFrom = 0;
  readonly #options: MirroredLogOptions;
  readonly #waiters: PositionWaiters;
  #held: HeldState | undefined;
  #current: MirroredEpoch | undefined;
  #subjects: Subjects;
  #assembler = new BatchAssembler();
  #loading: Loading | undefined = newLoading();

  constructor(options: MirroredLogOptions) {
    this.#options = options;
    this.time = new LogTime(options.clock);
    this.#waiters = new PositionWaiters(options.clock);
    this.#subjects = subjectsOf(options.bucket);
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

  /** Whether the first state has been read. */
  get isRead(): boolean {
    return this.#held !== undefined;
  }

  /** Subjects of the root whose messages are taken. */
  get subjects(): Subjects {
    return this.#subjects;
  }

  /** Sequence of the last message that was taken of that root. */
  get last(): number {
    return this.#assembler.last;
  }

  /** Whether the whole state is being read. */
  get isLoading(): boolean {
    return this.#loading !== undefined;
  }

  /** Resolves at once, or, while the whole state is being read, once it has been. */
  async loaded(): Promise<void> {
    while (this.#loading !== undefined) await this.#loading.promise;
  }

  /** Time of the commit at a position or later, once it is mirrored; undefined if that takes longer than `withinMs`. */
  async reached(position: number, withinMs: number): Promise<number | undefined> {
    if (this.held.revision.position >= position) return this.held.at;
    return await this.#waiters.wait(position, withinMs);
  }

  take(message: BucketMessage): void {
    this.time.take(message, message.sequence > this.liveFrom);
    this.#loading?.messages.push({ sequence: message.sequence, at: message.at });
    const commit = this.#assembler.take(message);
    if (commit === undefined) return;
    if (commit.epoch !== undefined && commit.epoch.root !== this.#subjects.root) {
      this.seen.seeIds(commit);
      this.readAnew(commit.epoch);
      return;
    }
    // The store's own time, if the commit's final tick states it.
    const at = message.time ?? commit.at;
    if (this.#loading !== undefined) this.#replace(commit, at, this.#loading);
    else {
      this.seen.see(commit);
      this.held.apply({ ...commit, at });
    }
    this.held.forget(this.time.serverNow() - DELETE_WINDOW_MS);
    this.#waiters.reached(commit.position, at);
  }

  /** Reads another epoch, which has begun; the held state stays until all of the new one has been read. */
  readAnew({ epoch, root }: EpochMark): void {
    this.#options.logger.warn({ epoch }, "a new epoch has begun; its state is being read");
    this.takeFrom(root);
    this.#loading ??= newLoading();
    this.#loading.messages.length = 0;
    this.#options.onOtherEpoch();
  }

  /** Takes messages of this root from now on. */
  takeFrom(root: string): void {
    this.#subjects = subjectsOf(this.#options.bucket, root);
    this.#assembler = new BatchAssembler();
  }

  /** Adds what a scan of the whole bucket found and no message told. Returns the keys that were wrong. */
  repair(scan: BucketScan): readonly string[] {
    const missed = missedChanges(scan, this.held, (key) => this.seen.sequenceOf(key));
    this.seen.repair(missed);
    if (missed.length > 0) this.held.repair(missed);
    return missed.map(({ key }) => key);
  }

  close(): void {
    this.#waiters.close();
    this.#loading?.resolve();
    this.#held?.close();
  }

  #replace(commit: AssembledCommit, at: number, loading: Loading): void {
    const { epoch, position } = commit.epoch ?? { epoch: 1, position: 0 };
    this.seen.forgetKeys();
    this.seen.see(commit);
    const content = { ...firstContent(commit, loading.messages), at };
    this.#current = { epoch, subjects: this.#subjects, began: position };
    if (this.#held === undefined) this.#held = new HeldState(content);
    else this.#held.replace(content);
    this.#loading = undefined;
    loading.resolve();
  }
}
