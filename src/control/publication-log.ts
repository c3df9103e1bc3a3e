import { type Revision, reached } from "../store/revision.ts";

/** Which publication a revision led to, and when. */
export interface Published {
  readonly revision: Revision;
  /** The cache's publication number once the revision was published. */
  readonly publication: number;
  /** By the monotonic clock, in milliseconds: when the commit reached this replica. */
  readonly at: number;
}

interface Entry extends Published {
  /** By the monotonic clock: when the last stream that waited for it had settled it. */
  settledAt?: number;
}

const KEPT = 20_000;

/**
 * Relates the log's revisions to the cache's publication numbers: streams settle publications, people ask for revisions.
 * Remembers the last 20,000 revisions; what is older counts as the oldest that is remembered.
 */
export class PublicationLog {
  #entries: Entry[] = [];

  /** The newest entry. */
  get last(): Published | undefined {
    return this.#entries.at(-1);
  }

  record(entry: Published): void {
    this.#entries.push({ ...entry });
    if (this.#entries.length > KEPT * 2) this.#entries = this.#entries.slice(-KEPT);
  }

  /** The publication that holds a revision; nothing when this replica has not published it yet. */
  publicationOf(revision: Revision): number | undefined {
    const i = this.#firstIndex((entry) => reached(entry.revision, revision));
    return this.#entries[i]?.publication;
  }

  /** The publication before a revision: what it brought is newer. */
  publicationBefore(revision: Revision): number {
    const i = this.#firstIndex((entry) => reached(entry.revision, revision));
    return this.#entries[i - 1]?.publication ?? 0;
  }

  /**
   * The first publication that may hold something newer than a revision, made already or not. Nobody remembers what came
   * after a revision that is older than all entries: that may be any.
   */
  publicationAfter(revision: Revision): number {
    const i = this.#firstIndex((entry) => !reached(revision, entry.revision));
    return (this.#entries[i - 1]?.publication ?? 0) + 1;
  }

  /** The newest entry that is settled when everything up to a publication is. */
  settledBy(publication: number): Published | undefined {
    return this.#entries[this.#firstIndex((entry) => entry.publication > publication) - 1];
  }

  /** The first entry that a publication belongs to: the commit that a stream which is behind it waits for. */
  firstAt(publication: number): Published | undefined {
    return this.#entries[this.#firstIndex((entry) => entry.publication >= publication)];
  }

  /**
   * Takes note of publications that a stream waited for and has settled: `from` up to but not `to`. Those made before
   * `since`, when it opened, are left out: how long it was away says nothing about them.
   */
  settle({ from, to, since }: { from: number; to: number; since: number }, at: number): void {
    for (let i = this.#firstIndex(({ publication }) => publication >= from); i < this.#entries.length; i++) {
      const entry = this.#entries[i];
      if (entry === undefined || entry.publication >= to) return;
      if (entry.at >= since) entry.settledAt = at;
    }
  }

  /** Milliseconds from a revision until the last stream that waited for it had settled it; nothing when none did. */
  settledAfter(revision: Revision): number | undefined {
    const entry = this.#entries[this.#firstIndex((each) => reached(each.revision, revision))];
    return entry?.settledAt === undefined ? undefined : entry.settledAt - entry.at;
  }

  /** Entries are in order, so that a claim which holds from some entry on is found by bisection. */
  #firstIndex(holds: (entry: Published) => boolean): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = this.#entries[middle];
      if (entry !== undefined && holds(entry)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
