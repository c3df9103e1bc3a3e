import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import type { Journal, JournalEntry } from "./journal.ts";
import type { Revision } from "./revision.ts";
import { exact, numberOf } from "./sqlite-values.ts";
import type { Batch, Committed } from "./state-store.ts";

const COLUMNS = "epoch, position, at, actor, operation, reason, request_id, result";
/** How many entries one round of forgetting drops, so it does not hold up the commit that it is part of. */
const FORGET_AT_ONCE = 500;

/** The journal's rows; written inside the transaction of the commit that they record. */
export class SqliteJournal implements Journal {
  readonly #assertOpen: () => void;
  readonly #statements: ReturnType<typeof prepareStatements>;

  constructor(database: DatabaseSync, assertOpen: () => void) {
    this.#assertOpen = assertOpen;
    this.#statements = prepareStatements(database);
  }

  async findRequest(requestId: string): Promise<JournalEntry | undefined> {
    this.#assertOpen();
    const row = requestId === "" ? undefined : this.#statements.request.get(requestId);
    return row && this.#entry(row);
  }

  async findCommit({ epoch, position }: Revision): Promise<JournalEntry | undefined> {
    this.#assertOpen();
    const row = this.#statements.commit.get(epoch, position);
    return row && this.#entry(row);
  }

  async list({ limit, key }: { readonly limit: number; readonly key?: string }): Promise<readonly JournalEntry[]> {
    this.#assertOpen();
    const rows = key === undefined ? this.#statements.newest.all(limit) : this.#statements.newestOf.all(key, limit);
    return rows.map((row) => this.#entry(row));
  }

  has(requestId: string): boolean {
    return requestId !== "" && this.#statements.request.get(requestId) !== undefined;
  }

  add({ ops, cause }: Batch, committed: Committed): void {
    this.insert({ ...cause, keys: ops.map(({ key }) => key), ...committed });
  }

  insert({ revision, at, actor, operation, reason, requestId, result, keys }: JournalEntry): void {
    const { epoch, position } = revision;
    this.#statements.add.run(epoch, position, at, actor, operation, reason, requestId, result ?? null);
    for (const key of keys) this.#statements.addKey.run(key, epoch, position);
  }

  /** Oldest first, in parts; what is written meanwhile may or may not be among them. */
  *oldestFirst(partSize: number): Generator<JournalEntry[]> {
    // Raw values from the rows, so it goes on whatever they are.
    for (let last: [SQLOutputValue, SQLOutputValue] = [0n, 0n]; ; ) {
      const rows = this.#statements.after.all(...last, partSize);
      const end = rows.at(-1);
      if (end === undefined) return;
      last = [end.epoch ?? null, end.position ?? null];
      yield rows.map((row) => this.#entry(row));
    }
  }

  clear(): void {
    this.#statements.clear.run();
    this.#statements.clearKeys.run();
  }

  forget(before: number): void {
    for (const { epoch, position } of this.#statements.old.all(before, FORGET_AT_ONCE)) {
      this.#statements.dropKeys.run(epoch ?? null, position ?? null);
      this.#statements.drop.run(epoch ?? null, position ?? null);
    }
  }

  #entry(row: Record<string, SQLOutputValue>): JournalEntry {
    const { at, actor, operation, reason, request_id: requestId, result } = row;
    const [epoch, position] = [numberOf(row.epoch), numberOf(row.position)];
    return {
      revision: { epoch, position },
      at: numberOf(at),
      actor: String(actor),
      operation: String(operation),
      reason: String(reason),
      requestId: String(requestId),
      keys: this.#statements.keys.all(epoch, position).map(({ key }) => String(key)),
      ...(result instanceof Uint8Array ? { result } : {}),
    };
  }
}

function prepareStatements(database: DatabaseSync) {
  return {
    request: exact(database.prepare(`SELECT ${COLUMNS} FROM journal WHERE request_id = ?1 AND ?1 <> ''`)),
    commit: exact(database.prepare(`SELECT ${COLUMNS} FROM journal WHERE epoch = ? AND position = ?`)),
    newest: exact(database.prepare(`SELECT ${COLUMNS} FROM journal ORDER BY epoch DESC, position DESC LIMIT ?`)),
    newestOf: exact(
      database.prepare(
        `SELECT ${COLUMNS} FROM journal_keys JOIN journal USING (epoch, position) WHERE key = ?
         ORDER BY epoch DESC, position DESC LIMIT ?`,
      ),
    ),
    after: exact(
      database.prepare(
        `SELECT ${COLUMNS} FROM journal WHERE (epoch, position) > (?, ?) ORDER BY epoch, position LIMIT ?`,
      ),
    ),
    keys: database.prepare("SELECT key FROM journal_keys WHERE epoch = ? AND position = ? ORDER BY key"),
    // A row in the place of one that is yet to come is nobody's, and must not block that one.
    add: database.prepare(`INSERT OR REPLACE INTO journal (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`),
    addKey: database.prepare("INSERT OR REPLACE INTO journal_keys (key, epoch, position) VALUES (?, ?, ?)"),
    old: exact(database.prepare("SELECT epoch, position FROM journal WHERE at < ? ORDER BY epoch, position LIMIT ?")),
    dropKeys: database.prepare("DELETE FROM journal_keys WHERE epoch = ? AND position = ?"),
    drop: database.prepare("DELETE FROM journal WHERE epoch = ? AND position = ?"),
    clear: database.prepare("DELETE FROM journal"),
    clearKeys: database.prepare("DELETE FROM journal_keys"),
  };
}
