import type { BatchMark } from "./batch-mark.ts";
import type { EpochMark } from "./epoch-mark.ts";

/** One message of the bucket, as a mirror receives it. */
export interface BucketMessage {
  readonly sequence: number;
  /** Milliseconds since the epoch, by the server's clock. */
  readonly at: number;
  readonly mark: BatchMark;
  /** How many messages followed it when the server sent it, as far as the server knew. */
  readonly pending: number;
  /** The change to the state, if any. Without a value, the key was deleted. */
  readonly change: { readonly key: string; readonly value: Uint8Array | undefined } | undefined;
  /** The epoch that it begins, if it begins one. */
  readonly epoch: EpochMark | undefined;
  /** Only on ticks: the time of the writer's store, in milliseconds since the epoch. */
  readonly time?: number | undefined;
  /** Id of the writer's batch; only on its last message. */
  readonly id: string;
}

export interface AssembledChange {
  readonly key: string;
  readonly value: Uint8Array | undefined;
  /** Sequence of the batch's last message. */
  readonly position: number;
  /** Sequence of the message itself: what a guard on this key names. */
  readonly sequence: number;
  readonly at: number;
}

export interface BegunEpoch extends EpochMark {
  /** Position of the batch that began it. */
  readonly position: number;
}

/** One batch, or several of which only the last values are left. Applying it gives exactly the state at `position`. */
export interface AssembledCommit {
  readonly position: number;
  readonly at: number;
  readonly changes: readonly AssembledChange[];
  readonly epoch: BegunEpoch | undefined;
  readonly ids: readonly string[];
}

/**
 * Puts the messages of a bucket together into whole commits.
 *
 * The bucket keeps only the newest message of each key. A reader that lags therefore misses those that were overwritten
 * meanwhile, and until it has read the newer ones, what it has put together is not a state that ever existed. So after a gap
 * nothing is returned until every message that existed when the gap was seen has been read.
 */
export class BatchAssembler {
  #last = 0;
  #read = 0;
  /** How many messages must have been read before anything is returned. */
  #wholeFrom = 0;
  #epoch: BegunEpoch | undefined;
  #changes = new Map<string, AssembledChange>();
  #ids: string[] = [];

  /** Sequence of the last message that was read. */
  get last(): number {
    return this.#last;
  }

  take(message: BucketMessage): AssembledCommit | undefined {
    const { sequence, mark, pending, change, epoch, id, at } = message;
    if (sequence <= this.#last) return undefined;
    this.#read += 1;
    if (this.#read === 1 || !this.#follows(sequence, mark)) {
      this.#wholeFrom = Math.max(this.#wholeFrom, this.#read + pending);
    }
    this.#last = sequence;
    const position = sequence + mark.count - mark.index;
    if (change !== undefined) {
      // Deleted first, so the map stays in the order of the log.
      this.#changes.delete(change.key);
      this.#changes.set(change.key, { ...change, position, sequence, at });
    }
    if (epoch !== undefined) this.#epoch = { ...epoch, position };
    if (id !== "") this.#ids.push(id);
    if (mark.index < mark.count || this.#read < this.#wholeFrom) return undefined;
    const commit = { position, at, changes: [...this.#changes.values()], epoch: this.#epoch, ids: this.#ids };
    this.#epoch = undefined;
    this.#changes = new Map();
    this.#ids = [];
    return commit;
  }

  /** Whether nothing is missing between the previous message and this one. */
  #follows(sequence: number, { index, hidden }: BatchMark): boolean {
    const isFirstHeard = index === hidden + 1;
    return sequence === this.#last + (isFirstHeard ? index : 1);
  }
}
