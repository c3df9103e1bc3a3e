import type { JetStreamManager, StoredMsg } from "@nats-io/jetstream";
import type { Journal, JournalEntry } from "../store/journal.ts";
import { type Revision, sameRevision } from "../store/revision.ts";
import { MAX_BATCH_COST } from "../store/state-store.ts";
import { readPages } from "./bucket-pages.ts";
import type { BucketSession } from "./bucket-session.ts";
import { readEntries, requestToken } from "./journal-message.ts";
import type { MirroredLog } from "./mirrored-log.ts";
import { lastMessage } from "./stream-message.ts";

/** How far back the first look goes; each further look goes four times as far. */
const FIRST_SPAN = 1_000;

/** Most messages of a batch: its cost, and its entry in the journal. */
const LONGEST_BATCH = MAX_BATCH_COST + 10;

/** Its entries lie in the bucket under keys of their own, one per request id, and expire after their window. */
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
    return found && readEntries([found], this.#log.held.revision.epoch)[0];
  }

  async findCommit(revision: Revision): Promise<JournalEntry | undefined> {
    this.#assertOpen();
    // An entry stands at the beginning of its batch. One that was brought from another epoch may stand anywhere.
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

  async #lastOf(requestId: string): Promise<StoredMsg | undefined> {
    if (requestId === "") return undefined;
    const { stream, journal } = this.#log.current.subjects;
    return await lastMessage(this.#manager, { stream, subject: journal(requestToken(requestId)) });
  }

  /** Oldest first. */
  async #since(from: number): Promise<JournalEntry[]> {
    const { stream, journal } = this.#log.current.subjects;
    const entries: JournalEntry[] = [];
    for await (const page of readPages(this.#manager, { stream, subject: journal("*"), from })) {
      entries.push(...readEntries(page, this.#log.held.revision.epoch));
    }
    return entries;
  }
}
