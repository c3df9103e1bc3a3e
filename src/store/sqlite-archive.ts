import type { SQLOutputValue } from "node:sqlite";
import { nextTurn } from "../runtime/next-turn.ts";
import {
  type Archive,
  type ArchiveContent,
  type ArchiveRecord,
  entryParts,
  givenTwice,
  PART_RECORDS,
  type Replacement,
} from "./archive.ts";
import { checkKey, checkValue } from "./batch.ts";
import { replacedMeanwhile, storeReplaced } from "./errors.ts";
import type { HeldState } from "./held-state.ts";
import type { HeldStore } from "./held-store.ts";
import { type Revision, reached } from "./revision.ts";
import type { SqliteFile } from "./sqlite-file.ts";
import type { SqliteJournal } from "./sqlite-journal.ts";
import { loadState, readCopy } from "./sqlite-state.ts";
import { transact } from "./sqlite-transaction.ts";
import { exact, numberOf } from "./sqlite-values.ts";
import type { Committed, Entry } from "./state-store.ts";

const SQLITE_CONSTRAINT = 19;

/** For this connection only, and dropped with it: what a process staged before it died troubles nobody. */
const STAGE = `
  CREATE TEMP TABLE staged_entries (key TEXT PRIMARY KEY, value BLOB NOT NULL);
  CREATE TEMP TABLE staged_history (
    key TEXT NOT NULL, slot INTEGER NOT NULL, generation INTEGER NOT NULL, epoch INTEGER, position INTEGER, value BLOB NOT NULL, PRIMARY KEY (key, slot));
  CREATE TEMP TABLE staged_journal (number INTEGER PRIMARY KEY, entry TEXT NOT NULL, result BLOB);
`;
const UNSTAGE =
  "DROP TABLE IF EXISTS staged_entries; DROP TABLE IF EXISTS staged_history; DROP TABLE IF EXISTS staged_journal";

export interface SqliteArchiveOptions {
  readonly file: SqliteFile;
  readonly journal: SqliteJournal;
  readonly held: HeldState;
  readonly store: Pick<HeldStore, "now" | "assertOpen">;
}

/** Reads and replaces the embedded store: new content is staged first, and moved in by one transaction. */
export class SqliteArchive implements Archive {
  readonly #options: SqliteArchiveOptions;
  #isReplacing = false;

  constructor(options: SqliteArchiveOptions) {
    this.#options = options;
  }

  async read(): Promise<ArchiveContent> {
    const { held, store } = this.#options;
    store.assertOpen();
    return { revision: held.revision, parts: this.#parts(held.read(""), held.revision) };
  }

  async replace(parts: AsyncIterable<readonly ArchiveRecord[]>, replacement: Replacement): Promise<Committed> {
    const { file, store } = this.#options;
    store.assertOpen();
    if (this.#isReplacing) throw replacedMeanwhile();
    this.#isReplacing = true;
    try {
      file.database.exec(STAGE);
      for await (const part of parts) {
        store.assertOpen();
        for (let start = 0; start < part.length; start += PART_RECORDS) {
          this.#stage(part.slice(start, start + PART_RECORDS));
          await new Promise<void>((resolve) => nextTurn(resolve));
          store.assertOpen();
        }
      }
      return this.#moveIn(replacement);
    } finally {
      this.#isReplacing = false;
      if (file.database.isOpen) file.database.exec(UNSTAGE);
    }
  }

  async *#parts(entries: readonly Entry[], revision: Revision): AsyncGenerator<readonly ArchiveRecord[]> {
    const { file, journal, store } = this.#options;
    yield* entryParts(entries);
    const copies = exact(
      file.database.prepare(
        `SELECT key, slot, generation, epoch, position, value FROM history
         WHERE (key, slot) > (?, ?) ORDER BY key, slot LIMIT ${PART_RECORDS}`,
      ),
    );
    for (let last: [SQLOutputValue, SQLOutputValue] = ["", -1n]; ; ) {
      store.assertOpen();
      const rows = copies.all(...last);
      const end = rows.at(-1);
      if (end === undefined) break;
      last = [end.key ?? "", end.slot ?? 0n];
      yield rows.map(copyOf).filter((copy) => reached(revision, copy.revision));
    }
    for (const part of journal.oldestFirst(PART_RECORDS)) {
      yield part
        .filter((entry) => reached(revision, entry.revision))
        .map((entry) => ({ kind: "journal", entry }) as const);
      store.assertOpen();
    }
  }

  #stage(records: readonly ArchiveRecord[]): void {
    const { database } = this.#options.file;
    const entry = database.prepare("INSERT INTO staged_entries VALUES (?, ?)");
    const copy = database.prepare("INSERT INTO staged_history VALUES (?, ?, ?, ?, ?, ?)");
    const journal = database.prepare("INSERT INTO staged_journal (entry, result) VALUES (?, ?)");
    transact(this.#options.file, () => {
      for (const record of records) {
        if (record.kind === "journal") {
          const { result, ...said } = record.entry;
          journal.run(JSON.stringify(said), result ?? null);
          continue;
        }
        const { key, value } = record;
        checkKey(key);
        checkValue(key, value);
        try {
          if (record.kind === "entry") entry.run(key, value);
          else {
            const { slot, generation, revision } = record;
            copy.run(key, slot, generation, revision?.epoch ?? null, revision?.position ?? null, value);
          }
        } catch (error) {
          throw isTaken(error) ? givenTwice(key) : error;
        }
      }
    });
  }

  #moveIn({ cause, keys, laterThan }: Replacement): Committed {
    const { file, held, journal, store } = this.#options;
    const { database } = file;
    const replaced = file.replaced();
    if (replaced !== undefined) throw storeReplaced(replaced);
    const at = store.now();
    const revision = { epoch: Math.max(held.revision.epoch, laterThan()) + 1, position: held.revision.position + 1 };
    transact(file, () => {
      database.exec("DELETE FROM entries; DELETE FROM history");
      journal.clear();
      database
        .prepare("INSERT INTO entries (key, position, at, value) SELECT key, ?, ?, value FROM staged_entries")
        .run(revision.position, at);
      database
        .prepare(
          `INSERT INTO history (key, slot, generation, epoch, position, value)
           SELECT key, slot, generation, COALESCE(epoch, ?), COALESCE(position, ?), value FROM staged_history`,
        )
        .run(revision.epoch, revision.position);
      for (const row of database.prepare("SELECT entry, result FROM staged_journal ORDER BY number").iterate()) {
        const { result } = row;
        journal.insert({ ...JSON.parse(String(row.entry)), ...(result instanceof Uint8Array ? { result } : {}) });
      }
      journal.insert({ ...cause, keys, at, revision });
      database
        .prepare("UPDATE head SET epoch = ?, position = ?, at = ?, floor = ?")
        .run(revision.epoch, revision.position, at, revision.position);
    });
    held.replace(loadState(file));
    return { revision, at };
  }
}

function copyOf(row: Record<string, SQLOutputValue>) {
  return { kind: "copy", key: String(row.key), slot: numberOf(row.slot), ...readCopy(row) } as const;
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && (Number(error.errcode) & 0xff) === SQLITE_CONSTRAINT;
}
