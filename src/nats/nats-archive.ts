import type { JetStreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { invalid } from "../domain/errors.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/logger.ts";
import type { Random } from "../runtime/random.ts";
import type { Archive, ArchiveContent, ArchiveRecord, Replacement } from "../store/archive.ts";
import { checkKey, checkValue } from "../store/batch.ts";
import { outcomeUnknown, replacedMeanwhile, unreachable } from "../store/errors.ts";
import type { Revision } from "../store/revision.ts";
import type { Committed } from "../store/state-store.ts";
import { positionOf } from "./batch-mark.ts";
import { formatCopy, parseCopy, tickWrite } from "./batch-writes.ts";
import type { BucketMirror, MirroredEpoch } from "./bucket-mirror.ts";
import { readPages } from "./bucket-pages.ts";
import { formatEpochMark, parseEpochMark } from "./epoch-mark.ts";
import { storeFailure } from "./failure.ts";
import { writtenAt } from "./nats-history.ts";
import type { NatsJournal } from "./nats-journal.ts";
import { type BucketWrite, publishBatch } from "./publish-batch.ts";
import type { StreamReader } from "./stream-reader.ts";
import { type Subjects, subjectsOf } from "./subjects.ts";

const PART = 500;
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
const LEFT = new TextEncoder().encode("left");

export interface NatsArchiveOptions {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly bucket: string;
  readonly replica: string;
  readonly mirror: BucketMirror;
  readonly journal: NatsJournal;
  readonly reader: StreamReader;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
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
    const { mirror, assertOpen } = this.#options;
    assertOpen();
    await mirror.loaded();
    const { held, current } = mirror;
    const { revision } = held;
    const entries = held.read("").map(({ key, value }): ArchiveRecord => ({ kind: "entry", key, value }));
    return { revision, parts: this.#parts(entries, revision, current) };
  }

  async replace(parts: AsyncIterable<readonly ArchiveRecord[]>, replacement: Replacement): Promise<Committed> {
    const { random, assertOpen } = this.#options;
    assertOpen();
    const subjects = subjectsOf(this.#options.bucket, random.id());
    const marker = await this.#write([{ subject: subjects.unused(subjects.root), value: this.#word(), expected: 0 }]);
    try {
      await this.#stage(parts, subjects);
      const committed = await this.#switch(subjects, marker, replacement);
      await this.#awaitEpoch(committed.revision.epoch);
      return committed;
    } finally {
      await this.#sweep(subjects.root);
    }
  }

  async *#parts(
    entries: readonly ArchiveRecord[],
    revision: Revision,
    epoch: MirroredEpoch,
  ): AsyncGenerator<readonly ArchiveRecord[]> {
    const { manager, journal } = this.#options;
    const { subjects } = epoch;
    for (let start = 0; start < entries.length; start += PART) yield entries.slice(start, start + PART);
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
      yield journal.entries(page, revision.position).map((entry) => ({ kind: "journal", entry }) as const);
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
          if (seen.has(write.subject))
            throw invalid("DUPLICATE_KEY", [{ field: "", message: `${record.key} is given twice` }]);
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
    const { mirror, journal } = this.#options;
    if (record.kind === "journal") return journal.restored(record.entry, mirror.time.serverNow(), subjects);
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
        await this.#write([...writes, this.#tick()], writes.length);
        return;
      } catch (error) {
        if (tries === STAGE_TRIES) throw error;
        await clock.sleep(STAGE_PAUSE_MS);
      }
    }
  }

  /** Makes the new root the state, and abandons the old one. Conflicts if another sweep or switch came first. */
  async #switch(subjects: Subjects, marker: number, { cause, keys, laterThan }: Replacement): Promise<Committed> {
    const { connection, mirror, journal, reader, random } = this.#options;
    const found = await reader.last(subjects.epoch);
    const mark = found && parseEpochMark(text(found.data));
    const epoch = Math.max(mark?.epoch ?? 0, mirror.held.revision.epoch, laterThan()) + 1;
    const id = random.id();
    const hidden: BucketWrite[] = [
      journal.record({ cause }, keys, { id, subjects }),
      {
        subject: subjects.unused(subjects.root),
        value: new Uint8Array(),
        purge: { markerTtlMs: MARKER_TTL_MS },
        expected: marker,
      },
      ...(mark === undefined ? [] : [{ subject: subjects.unused(mark.root), value: LEFT }]),
    ];
    const value = new TextEncoder().encode(formatEpochMark({ epoch, root: subjects.root }));
    const begin = { subject: subjects.epoch, value, expected: found?.sequence ?? 0 };
    const outcome = await publishBatch(connection, {
      id,
      hidden: hidden.length,
      writes: [...hidden, begin, this.#tick()],
    });
    if (outcome.kind === "conflict") throw replacedMeanwhile();
    if (outcome.kind === "failed") throw storeFailure(outcome.error, "nothing was changed");
    const at = Math.floor(mirror.time.serverNow());
    if (outcome.kind === "written") return { revision: { epoch, position: outcome.sequence }, at };
    const now = await reader.last(subjects.epoch).catch(() => undefined);
    if (now !== undefined && parseEpochMark(text(now.data))?.root === subjects.root) {
      return { revision: { epoch, position: now.position }, at };
    }
    throw outcomeUnknown("no server answered in time; look whether the new epoch has begun", outcome.error);
  }

  /** Gives this replica's mirror time to read the new state, so that reads show it when the caller continues. */
  async #awaitEpoch(epoch: number): Promise<void> {
    const { mirror, clock } = this.#options;
    const { held } = mirror;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = clock.after(MIRROR_WAIT_MS, resolve);
    held.onEpoch(resolve);
    if (held.revision.epoch < epoch) await promise;
    cancel();
  }

  /** Removes the roots that nobody uses: the previous one, what this try left, and those whose writers died long ago. */
  async #sweep(own: string): Promise<void> {
    const { manager, bucket, mirror, logger } = this.#options;
    const subjects = subjectsOf(bucket);
    const { stream } = subjects;
    try {
      const message = await manager.streams.getMessage(stream, { last_by_subj: subjects.epoch });
      if (message === null) return;
      const used = parseEpochMark(message.string())?.root;
      if (used === undefined) return;
      for await (const page of readPages(manager, { stream, subject: subjects.unused("*"), from: 1 })) {
        for (const { subject, data, seq, time } of page) {
          const root = subject.slice(subjects.unused("").length);
          if (data.byteLength === 0 || root === used) continue;
          const isLeft = text(data) === text(LEFT) || root === own;
          if (!isLeft && mirror.time.serverNow() - time.getTime() < ABANDONED_MS) continue;
          // A process that is still staging it finds the marker changed, and gives up.
          const changed = await this.#write([{ subject, value: LEFT, expected: seq }]);
          await manager.streams.purge(stream, { filter: subjectsOf(bucket, root).content });
          await this.#write([
            { subject, value: new Uint8Array(), purge: { markerTtlMs: MARKER_TTL_MS }, expected: changed },
          ]);
        }
      }
    } catch (err) {
      logger.warn({ err }, "what the last epoch held could not be removed from the bucket; it only takes room");
    }
  }

  async #write(writes: readonly BucketWrite[], hidden = 0): Promise<number> {
    const { connection, random } = this.#options;
    const outcome = await publishBatch(connection, { id: random.id(), hidden, writes });
    if (outcome.kind === "written") return outcome.sequence;
    if (outcome.kind === "conflict") throw replacedMeanwhile();
    throw unreachable("the bucket cannot be written; nothing was changed", outcome.error);
  }

  #tick(): BucketWrite {
    const { mirror, bucket } = this.#options;
    return tickWrite(subjectsOf(bucket), mirror.time);
  }

  #word(): Uint8Array {
    return new TextEncoder().encode(`by ${this.#options.replica}`);
  }
}

function text(data: Uint8Array): string {
  return new TextDecoder().decode(data);
}
