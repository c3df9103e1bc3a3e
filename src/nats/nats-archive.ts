import {
  type Archive,
  type ArchiveContent,
  type ArchiveRecord,
  entryParts,
  givenTwice,
  type Replacement,
} from "../store/archive.ts";
import { checkKey, checkValue } from "../store/batch.ts";
import { outcomeUnknown, replacedMeanwhile, unreachable } from "../store/errors.ts";
import type { Revision } from "../store/revision.ts";
import type { Committed, Entry } from "../store/state-store.ts";
import { positionOf } from "./batch-mark.ts";
import { formatCopy, parseCopy, tickWrite } from "./batch-writes.ts";
import { readPages } from "./bucket-pages.ts";
import type { BucketSession } from "./bucket-session.ts";
import { formatEpochMark, readEpoch } from "./epoch-mark.ts";
import { storeFailure } from "./failure.ts";
import { enterWrite, readEntries, restoreWrite } from "./journal-message.ts";
import type { MirroredEpoch, MirroredLog } from "./mirrored-log.ts";
import { writtenAt } from "./nats-history.ts";
import { type BucketWrite, publishBatch } from "./publish-batch.ts";
import { type Subjects, subjectsOf } from "./subjects.ts";

/** Limits for one batch of staged records. */
const MAX_WRITES = 500;
const MAX_BYTES = 4_000_000;
const STAGE_TRIES = 5;
const STAGE_PAUSE_MS = 500;
/** How long a replacement waits for its own mirror to read the new state. */
const MIRROR_WAIT_MS = 30_000;
/** A root that has been unused for this long is abandoned: the process that staged it has died. */
const ABANDONED_MS = 3_600_000;
const MARKER_TTL_MS = 60_000;
/** Marks a root that once was the state, or is being removed. */
const LEFT = "left";

export interface NatsArchiveOptions extends BucketSession {
  readonly log: MirroredLog;
  readonly assertOpen: () => void;
}

/**
 * Reads and replaces what the bucket holds. New state is written below a root of its own, which no mirror listens to; then
 * one message, the epoch's, tells all mirrors to read there.
 */
export class NatsArchive implements Archive {
  readonly #options: NatsArchiveOptions;

  constructor(options: NatsArchiveOptions) {
    this.#options = options;
  }

  async read(): Promise<ArchiveContent> {
    const { log, assertOpen } = this.#options;
    assertOpen();
    await log.loaded();
    const { held, current } = log;
    const { revision } = held;
    return { revision, parts: this.#parts(held.read(""), revision, current) };
  }

  async replace(parts: AsyncIterable<readonly ArchiveRecord[]>, replacement: Replacement): Promise<Committed> {
    const { random, assertOpen } = this.#options;
    assertOpen();
    const subjects = subjectsOf(this.#options.bucket, random.id());
    const word = new TextEncoder().encode(`by ${this.#options.replica}`);
    const marker = await this.#write([{ subject: subjects.unused(subjects.root), value: word, expected: 0 }]);
    try {
      await this.#stage(parts, subjects);
      const committed = await this.#switch(subjects, marker, replacement);
      // So that reads show the new state when the caller continues.
      await this.#options.log.reached(committed.revision.position, MIRROR_WAIT_MS);
      return committed;
    } finally {
      await this.#sweep(subjects.root);
    }
  }

  async *#parts(
    entries: readonly Entry[],
    revision: Revision,
    epoch: MirroredEpoch,
  ): AsyncGenerator<readonly ArchiveRecord[]> {
    const { manager } = this.#options;
    const { subjects } = epoch;
    yield* entryParts(entries);
    const { stream, allHistory } = subjects;
    for await (const page of readPages(manager, { stream, subject: allHistory, from: 1 })) {
      yield page.flatMap((message): ArchiveRecord[] => {
        const position = positionOf(message);
        if (position > revision.position) return [];
        const copy = parseCopy(message.data);
        const place = subjects.copyOf(message.subject);
        if (copy === undefined || !Number.isSafeInteger(place.slot)) return [];
        const { generation, value } = copy;
        const written = writtenAt(copy, position, epoch);
        return [{ kind: "copy", ...place, generation, value, revision: written }];
      });
    }
    for await (const page of readPages(manager, { stream, subject: subjects.journal("*"), from: 1 })) {
      yield readEntries(page, revision.epoch, revision.position).map((entry) => ({ kind: "journal", entry }) as const);
    }
  }

  async #stage(parts: AsyncIterable<readonly ArchiveRecord[]>, subjects: Subjects): Promise<void> {
    const seen = new Set<string>();
    let waiting: BucketWrite[] = [];
    let bytes = 0;
    const flush = async () => {
      if (waiting.length > 0) await this.#stageBatch(waiting);
      waiting = [];
      bytes = 0;
    };
    for await (const part of parts) {
      this.#options.assertOpen();
      for (const record of part) {
        const write = this.#writeOf(record, subjects);
        if (write === undefined) continue;
        if (record.kind !== "journal") {
          if (seen.has(write.subject)) throw givenTwice(record.key);
          seen.add(write.subject);
        }
        if (waiting.length === MAX_WRITES || bytes + write.value.byteLength > MAX_BYTES) await flush();
        waiting.push(write);
        bytes += write.value.byteLength;
      }
    }
    await flush();
  }

  #writeOf(record: ArchiveRecord, subjects: Subjects): BucketWrite | undefined {
    if (record.kind === "journal") return restoreWrite(record.entry, this.#options.log.time.serverNow(), subjects);
    const { key, value } = record;
    checkKey(key);
    checkValue(key, value);
    if (record.kind === "entry") return { subject: subjects.state(key), value };
    const { generation, slot, revision: origin } = record;
    return { subject: subjects.history(key, slot), value: formatCopy({ generation, value, origin }) };
  }

  /** Writing the same batch again does no harm, since nobody reads it yet. */
  async #stageBatch(writes: readonly BucketWrite[]): Promise<void> {
    const { clock } = this.#options;
    for (let tries = 1; ; tries++) {
      try {
        await this.#write([...writes, tickWrite(this.#options.log)], writes.length);
        return;
      } catch (error) {
        if (tries === STAGE_TRIES) throw error;
        await clock.sleep(STAGE_PAUSE_MS);
      }
    }
  }

  /** Makes the new root the state, and abandons the old one. Conflicts if another sweep or switch came first. */
  async #switch(subjects: Subjects, marker: number, { cause, keys, laterThan }: Replacement): Promise<Committed> {
    const { connection, manager, log, random } = this.#options;
    const { message, mark } = await readEpoch(manager, subjects);
    const epoch = Math.max(mark?.epoch ?? 0, log.held.revision.epoch, laterThan()) + 1;
    const id = random.id();
    const hidden: BucketWrite[] = [
      enterWrite(cause, keys, { id, subjects }),
      {
        subject: subjects.unused(subjects.root),
        value: new Uint8Array(),
        purge: { markerTtlMs: MARKER_TTL_MS },
        expected: marker,
      },
      ...(mark === undefined ? [] : [{ subject: subjects.unused(mark.root), value: new TextEncoder().encode(LEFT) }]),
    ];
    const value = new TextEncoder().encode(formatEpochMark({ epoch, root: subjects.root }));
    const begin = { subject: subjects.epoch, value, expected: message?.seq ?? 0 };
    const outcome = await publishBatch(connection, {
      id,
      hidden: hidden.length,
      writes: [...hidden, begin, tickWrite(this.#options.log)],
    });
    if (outcome.kind === "conflict") throw replacedMeanwhile();
    if (outcome.kind === "failed") throw storeFailure(outcome.error, "nothing was changed");
    const at = Math.floor(log.time.serverNow());
    if (outcome.kind === "written") return { revision: { epoch, position: outcome.sequence }, at };
    const now = await readEpoch(manager, subjects).catch(() => undefined);
    if (now?.message !== undefined && now.mark?.root === subjects.root) {
      return { revision: { epoch, position: positionOf(now.message) }, at };
    }
    throw outcomeUnknown("no server answered in time; check whether the new epoch has begun", outcome.error);
  }

  /** Removes the roots that nobody uses: the previous one, what this try left, and those whose writers died long ago. */
  async #sweep(own: string): Promise<void> {
    const { manager, bucket, log, logger } = this.#options;
    const subjects = subjectsOf(bucket);
    const { stream } = subjects;
    try {
      const { mark: used } = await readEpoch(manager, subjects);
      if (used === undefined) return;
      for await (const page of readPages(manager, { stream, subject: subjects.unused("*"), from: 1 })) {
        for (const message of page) {
          const { subject, data, seq, time } = message;
          const root = subject.slice(subjects.unused("").length);
          if (data.byteLength === 0 || root === used.root) continue;
          const isLeft = message.string() === LEFT || root === own;
          if (!isLeft && log.time.serverNow() - time.getTime() < ABANDONED_MS) continue;
          // A process that is still staging it finds the marker changed, and gives up.
          const changed = await this.#write([{ subject, value: new TextEncoder().encode(LEFT), expected: seq }]);
          await manager.streams.purge(stream, { filter: subjectsOf(bucket, root).content });
          await this.#write([
            { subject, value: new Uint8Array(), purge: { markerTtlMs: MARKER_TTL_MS }, expected: changed },
          ]);
        }
      }
    } catch (err) {
      logger.warn({ err }, "what the previous epoch held could not be removed from the bucket; it only takes up space");
    }
  }

  async #write(writes: readonly BucketWrite[], hidden = 0): Promise<number> {
    const { connection, random } = this.#options;
    const outcome = await publishBatch(connection, { id: random.id(), hidden, writes });
    if (outcome.kind === "written") return outcome.sequence;
    if (outcome.kind === "conflict") throw replacedMeanwhile();
    throw unreachable("the bucket cannot be written; nothing was changed", outcome.error);
  }
}
