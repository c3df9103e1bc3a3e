import { type Revision, reached } from "../store/revision.ts";

/** Which publication a revision led to, and when. */
export interface Published {
  readonly revision: Revision;
  /** The cache's publication number once the revision was published. */
  readonly publication: number;
  /** When the commit reached this replica, in milliseconds by the monotonic clock. */
  readonly at: number;
}

interface Entry extends Published {
  /** When the last stream that waited for it settled it, by the monotonic clock. */
  settledAt?: number;
}

const KEPT = 20_000;

/**
 * Relates the log's revisions to the cache's publication numbers: streams settle publications, people ask for revisions.
 * Remembers at least the last 20,000 revisions; older ones count as the oldest one remembered.
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

  /** The publication that holds a revision; undefined when this replica has not published it yet. */
  publicationOf(revision: Revision): number | undefined {
    return this.#entries[this.#indexOf(revision)]?.publication;
  }

  /** The last publication before a revision: what the revision brought is newer. */
  publicationBefore(revision: Revision): number {
    return this.#entries[this.#indexOf(revision) - 1]?.publication ?? 0;
  }

  /**
   * The first publication, made already or not, that may hold something newer than a revision. For a revision older than
   * all entries it may be any publication, since nobody remembers what came after it.
   */
  publicationAfter(revision: Revision): number {
    const i = this.#firstIndex((entry) => !reached(revision, entry.revision));
    return (this.#entries[i - 1]?.publication ?? 0) + 1;
  }

  /** The newest entry that is settled when everything up to a publication is settled. */
  settledBy(publication: number): Published | undefined {
    return this.#entries[this.#firstIndex((entry) => entry.publication > publication) - 1];
  }

  /** The first entry that holds a publication: the commit that a stream still lacking it waits for. */
  firstAt(publication: number): Published | undefined {
    return this.#entries[this.#firstIndex((entry) => entry.publication >= publication)];
  }

  /**
   * Records that a stream has settled the publications from `from` up to, but not including, `to`. Those made before it
   * opened, at `since`, are left out: how long it was away says nothing about them.
   */
  settle({ from, to, since }: { from: number; to: number; since: number }, at: number): void {
    for (let i = this.#firstIndex(({ publication }) => publication >= from); i < this.#entries.length; i++) {
      const entry = this.#entries[i];
      if (entry === undefined || entry.publication >= to) return;
      if (entry.at >= since) entry.settledAt = at;
    }
  }

  /** Milliseconds from a revision until the last stream that waited for it settled it; undefined when none did. */
  settledAfter(revision: Revision): number | undefined {
    const entry = this.#entries[this.#indexOf(revision)];
    return entry?.settledAt === undefined ? undefined : entry.settledAt - entry.at;
  }

  /** The first entry at or past a revision. */
  #indexOf(revision: Revision): number {
    return this.#firstIndex((entry) => reached(entry.revision, revision));
  }

  /** Finds the first entry for which `holds` is true by bisection; it must be true for all later entries too. */
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
