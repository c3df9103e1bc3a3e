import { createHash } from "node:crypto";
import type { JetStreamManager, StoredMsg } from "@nats-io/jetstream";
import { type Cause, JOURNAL_WINDOW_MS, type Journal, type JournalEntry } from "../store/journal.ts";
import { formatRevision, type Revision, sameRevision } from "../store/revision.ts";
import { type Batch, MAX_BATCH_COST } from "../store/state-store.ts";
import { positionOf } from "./batch-mark.ts";
import { readPages } from "./bucket-pages.ts";
import type { BucketSession } from "./bucket-session.ts";
import type { MirroredLog } from "./mirrored-log.ts";
import type { BucketWrite } from "./publish-batch.ts";
import { lastMessage } from "./stream-message.ts";
import type { Subjects } from "./subjects.ts";

/** How far back the first look goes; each further look goes four times as far. */
const FIRST_SPAN = 1_000;

/** Most messages of a batch: its cost, and its record. */
const LONGEST_BATCH = MAX_BATCH_COST + 10;

/** Its records lie in the bucket under keys of their own, one per request id, and expire after their window. */
export class NatsJournal implements Journal {
  readonly #manager: JetStreamManager;
  readonly #log: MirroredLog;
  readonly #assertOpen: () => void;

  constructor({ manager }: Pick<BucketSession, "manager">, log: MirroredLog, assertOpen: () => void) {
    this.#manager = manager;
    this.#log = log;
    this.#assertOpen = assertOpen;
  }

  async findRequest(requestId: string): Promise<JournalEntry | undefined> {
    this.#assertOpen();
    const found = await this.#lastOf(requestId);
    return found && this.#entry(found);
  }

  async findCommit(revision: Revision): Promise<JournalEntry | undefined> {
    this.#assertOpen();
    // A record stands at the beginning of its batch. One that was brought from another epoch may stand anywhere.
    const isOwn = revision.epoch === this.#log.held.revision.epoch;
    const from = isOwn ? Math.max(1, revision.position - LONGEST_BATCH) : 1;
    return (await this.#since(from)).find((entry) => sameRevision(entry.revision, revision));
  }

  async list({ limit, key }: { readonly limit: number; readonly key?: string }): Promise<readonly JournalEntry[]> {
    this.#assertOpen();
    const { position } = this.#log.held.revision;
    for (let span = FIRST_SPAN; ; span *= 4) {
      const from = Math.max(1, position - span);
      const found = (await this.#since(from)).filter((entry) => key === undefined || entry.keys.includes(key));
      if (found.length >= limit || from === 1) return found.toReversed().slice(0, limit);
    }
  }

  async has(requestId: string): Promise<boolean> {
    return (await this.#lastOf(requestId)) !== undefined;
  }

  /** The record of a batch. The server refuses a second record with the same request id. */
  record(
    batch: Pick<Batch, "cause">,
    keys: readonly string[],
    { id, subjects }: { id: string; subjects: Subjects },
  ): BucketWrite {
    return { ...writeOf({ ...batch.cause, keys }, id, subjects), ttlMs: JOURNAL_WINDOW_MS, expected: 0 };
  }

  /** The record of an entry that is brought from elsewhere; undefined when it has expired. */
  restored(entry: JournalEntry, now: number, subjects: Subjects): BucketWrite | undefined {
    const { revision, at, ...said } = entry;
    const ttlMs = JOURNAL_WINDOW_MS - (now - at);
    if (ttlMs < 1_000) return undefined;
    return { ...writeOf({ ...said, origin: { ...revision, at } }, formatRevision(revision), subjects), ttlMs };
  }

  async #lastOf(requestId: string): Promise<StoredMsg | undefined> {
    if (requestId === "") return undefined;
    const { stream, journal } = this.#log.current.subjects;
    return await lastMessage(this.#manager, { stream, subject: journal(tokenOf(requestId)) });
  }

  /** Oldest first. */
  async #since(from: number): Promise<JournalEntry[]> {
    const { stream, journal } = this.#log.current.subjects;
    const entries: JournalEntry[] = [];
    for await (const page of readPages(this.#manager, { stream, subject: journal("*"), from })) {
      entries.push(...this.entries(page));
    }
    return entries;
  }

  /** The entries in those messages that were written up to a position. */
  entries(page: readonly StoredMsg[], upTo = Number.POSITIVE_INFINITY): JournalEntry[] {
    return page.filter((message) => positionOf(message) <= upTo).flatMap((message) => this.#entry(message) ?? []);
  }

  /** Undefined for bytes that no release writes. */
  #entry(message: StoredMsg): JournalEntry | undefined {
    const record = parseRecord(message.data);
    if (record === undefined) return undefined;
    const { result, origin, ...said } = record;
    const { epoch } = this.#log.held.revision;
    return {
      ...said,
      revision:
        origin === undefined
          ? { epoch, position: positionOf(message) }
          : { epoch: origin.epoch, position: origin.position },
      at: origin?.at ?? message.time.getTime(),
      ...(result !== undefined && { result: new Uint8Array(Buffer.from(result, "base64")) }),
    };
  }
}

interface JournalRecord extends Omit<Cause, "result"> {
  readonly keys: readonly string[];
  readonly result?: string;
  /** Revision and time if they are not the message's: the record was brought from elsewhere. */
  readonly origin?: Revision & { readonly at: number };
}

type Said = Omit<JournalRecord, "result"> & { readonly result?: Uint8Array };

function parseRecord(data: Uint8Array): JournalRecord | undefined {
  try {
    const { actor, operation, reason, requestId, keys, result, origin } = JSON.parse(new TextDecoder().decode(data));
    const isText = [actor, operation, reason, requestId].every((text) => typeof text === "string");
    if (!isText || !Array.isArray(keys) || !keys.every((key) => typeof key === "string")) return undefined;
    if (result !== undefined && typeof result !== "string") return undefined;
    const numbers = origin === undefined ? [] : [origin.epoch, origin.position, origin.at];
    if (!numbers.every(Number.isSafeInteger)) return undefined;
    return { actor, operation, reason, requestId, keys, ...(result && { result }), ...(origin && { origin }) };
  } catch {
    return undefined;
  }
}

/** @param id Names the record of a write without a request id. */
function writeOf({ result, ...said }: Said, id: string, subjects: Subjects): Pick<BucketWrite, "subject" | "value"> {
  const record: JournalRecord = { ...said, ...(result && { result: Buffer.from(result).toString("base64") }) };
  return {
    subject: subjects.journal(tokenOf(said.requestId === "" ? id : said.requestId)),
    value: new TextEncoder().encode(JSON.stringify(record)),
  };
}

/** Request ids are free text; a subject's token is not. */
function tokenOf(requestId: string): string {
  return createHash("sha256").update(requestId).digest("base64url");
}
