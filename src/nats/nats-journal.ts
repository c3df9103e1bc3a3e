import { createHash } from "node:crypto";
import type { JetStreamManager } from "@nats-io/jetstream";
import { JOURNAL_WINDOW_MS, type Journal, type JournalEntry } from "../store/journal.ts";
import type { Batch } from "../store/state-store.ts";
import { BATCH_HEADER, parseBatchMark } from "./batch-mark.ts";
import { storeFailure } from "./failure.ts";
import type { BucketWrite } from "./publish-batch.ts";
import type { StoredMessage, StreamReader } from "./stream-reader.ts";
import type { Subjects } from "./subjects.ts";

/** Entries that one request to the server brings. */
const PAGE = 200;
/** How far back the first look goes; each further one four times as far. */
const FIRST_SPAN = 1_000;

export interface NatsJournalOptions {
  readonly manager: JetStreamManager;
  readonly reader: StreamReader;
  readonly subjects: Subjects;
  readonly head: () => { readonly epoch: number; readonly position: number };
  readonly assertOpen: () => void;
}

/** The records lie in the bucket under keys of their own, one a request id, and end after their window. */
export class NatsJournal implements Journal {
  readonly #options: NatsJournalOptions;

  constructor(options: NatsJournalOptions) {
    this.#options = options;
  }

  async findRequest(requestId: string): Promise<JournalEntry | undefined> {
    this.#options.assertOpen();
    if (requestId === "") return undefined;
    const { reader, subjects } = this.#options;
    const found = await reader.last(subjects.journal(tokenOf(requestId)));
    return found && this.#entry(found);
  }

  async list({ limit, key }: { readonly limit: number; readonly key?: string }): Promise<readonly JournalEntry[]> {
    this.#options.assertOpen();
    const { position } = this.#options.head();
    for (let span = FIRST_SPAN; ; span *= 4) {
      const from = Math.max(1, position - span);
      const found = (await this.#since(from)).filter((entry) => key === undefined || entry.keys.includes(key));
      if (found.length >= limit || from === 1) return found.toReversed().slice(0, limit);
    }
  }

  /** The record of a batch. A second one of the same request id is refused by the server. */
  record({ ops, cause }: Batch, id: string): BucketWrite {
    const { result, ...said } = cause;
    const record: JournalRecord = {
      ...said,
      keys: ops.map(({ key }) => key),
      ...(result && { result: Buffer.from(result).toString("base64") }),
    };
    return {
      subject: this.#options.subjects.journal(tokenOf(cause.requestId === "" ? id : cause.requestId)),
      value: new TextEncoder().encode(JSON.stringify(record)),
      ttlMs: JOURNAL_WINDOW_MS,
      expected: 0,
    };
  }

  /** Oldest first. */
  async #since(from: number): Promise<JournalEntry[]> {
    const { manager, subjects } = this.#options;
    const entries: JournalEntry[] = [];
    try {
      for (let seq = from; ; ) {
        const page = await manager.direct.getBatch(subjects.stream, {
          seq,
          batch: PAGE,
          next_by_subj: subjects.journal("*"),
        });
        let count = 0;
        for await (const message of page) {
          count += 1;
          seq = message.seq + 1;
          const mark = parseBatchMark(message.header.get(BATCH_HEADER));
          const position = message.seq + mark.count - mark.index;
          entries.push(
            this.#entry({ sequence: message.seq, position, at: message.time.getTime(), data: message.data }),
          );
        }
        if (count < PAGE) return entries;
      }
    } catch (error) {
      throw storeFailure(error, "cannot read the journal");
    }
  }

  #entry({ position, at, data }: StoredMessage): JournalEntry {
    const { result, ...record } = JSON.parse(new TextDecoder().decode(data)) as JournalRecord;
    return {
      ...record,
      revision: { epoch: this.#options.head().epoch, position },
      at,
      ...(result !== undefined && { result: new Uint8Array(Buffer.from(result, "base64")) }),
    };
  }
}

interface JournalRecord {
  readonly actor: string;
  readonly operation: string;
  readonly reason: string;
  readonly requestId: string;
  readonly keys: readonly string[];
  readonly result?: string;
}

/** Request ids are free text; a subject's token is not. */
function tokenOf(requestId: string): string {
  return createHash("sha256").update(requestId).digest("base64url");
}
