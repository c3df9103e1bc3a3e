import type { StreamInfo } from "@nats-io/jetstream";
import { unreachable } from "../store/errors.ts";
import type { BucketSession } from "./bucket-session.ts";
import { newestEpoch } from "./epoch-mark.ts";
import type { MirroredLog } from "./mirrored-log.ts";

export interface BucketIdentityOptions extends Pick<BucketSession, "manager" | "logger"> {
  readonly log: MirroredLog;
  /** The bucket's content will be replaced, so it need not state its epoch. */
  readonly isForReplacement: boolean;
  /** Writes an empty batch. Resolves with its position; undefined if it failed. */
  readonly tick: () => Promise<number | undefined>;
}

/** Whether the bucket is still the one that was mirrored: somebody may have put another in its place, or brought it back. */
export class BucketIdentity {
  readonly #options: BucketIdentityOptions;
  #created = "";
  #frozen: string | undefined;

  constructor(options: BucketIdentityOptions) {
    this.#options = options;
  }

  /** Why nothing is taken from the bucket any more: it is not the one that was mirrored. */
  get frozen(): string | undefined {
    return this.#frozen;
  }

  /** Takes the bucket for the one to mirror, in the epoch that it states. */
  async accept({ created }: StreamInfo): Promise<void> {
    const { manager, log, isForReplacement } = this.#options;
    this.#created = created;
    log.takeFrom((await newestEpoch(manager, log.subjects, isForReplacement)).root);
  }

  /**
   * Whether the bucket is no longer the one that was mirrored. If it has a new epoch, it is read from the start; otherwise
   * nothing is taken from it: whoever put it there may have brought back an older state.
   */
  async isReplaced({ created, state }: StreamInfo): Promise<boolean> {
    const { manager, log, logger, isForReplacement } = this.#options;
    const { last, subjects } = log;
    const isSame = this.#frozen === undefined && created === this.#created;
    if (isSame && (state.last_seq >= last || (await this.#isBeyond(last)))) return false;
    const mark = await newestEpoch(manager, subjects, isForReplacement);
    if (mark.epoch > (log.isRead ? log.held.revision.epoch : 0)) {
      this.#created = created;
      this.#frozen = undefined;
      log.readAnew(mark);
      return false;
    }
    this.#frozen = `stream ${subjects.stream} was replaced, or went back, without a new epoch`;
    const found = { created, sequence: state.last_seq, mirrored: last, epoch: mark.epoch };
    logger.error(found, "the bucket went back without a new epoch: nothing is taken from it");
    return true;
  }

  /**
   * Whether the log still has what was mirrored up to a position. A server that has just come back reports less than it has
   * until it has applied its Raft log; a write comes after everything in that log.
   */
  async #isBeyond(position: number): Promise<boolean> {
    const written = await this.#options.tick();
    if (written === undefined) throw unreachable("the log seems to have gone back, and no write can tell");
    return written > position;
  }
}
