import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import type { Journal, JournalEntry } from "./journal.ts";
import type { Batch } from "./state-store.ts";

const COLUMNS = "position, at, actor, operation, reason, request_id, result";
/** Entries that one round of forgetting drops, so that it does not hold up the commit it rides on. */
const FORGET_AT_ONCE = 500;

interface Owner {
  readonly epoch: number;
  readonly assertOpen: () => void;
}

/** The journal's rows; written inside the transaction of the commit that they record. */
export class SqliteJournal implements Journal {
  readonly #owner: Owner;
  readonly #statements: ReturnType<typeof prepareStatements>;

  constructor(database: DatabaseSync, owner: Owner) {
    this.#owner = owner;
    this.#statements = prepareStatements(database);
  }

  async findRequest(requestId: string): Promise<JournalEntry | undefined> {
    this.#owner.assertOpen();
    const row = requestId === "" ? undefined : this.#statements.request.get(requestId);
    return row && this.#entry(row);
  }

  async list({ limit, key }: { readonly limit: number; readonly key?: string }): Promise<readonly JournalEntry[]> {
    this.#owner.assertOpen();
    const rows = key === undefined ? this.#statements.newest.all(limit) : this.#statements.newestOf.all(key, limit);
    return rows.map((row) => this.#entry(row));
  }

  has(requestId: string): boolean {
    return requestId !== "" && this.#statements.request.get(requestId) !== undefined;
  }

  add({ ops, cause }: Batch, position: number, at: number): void {
    const { actor, operation, reason, requestId, result } = cause;
    this.#statements.add.run(position, at, actor, operation, reason, requestId, result ?? null);
    for (const { key } of ops) this.#statements.addKey.run(key, position);
  }

  forget(before: number): void {
    for (const { position } of this.#statements.old.all(before, FORGET_AT_ONCE)) {
      this.#statements.dropKeys.run(position ?? null);
      this.#statements.drop.run(position ?? null);
    }
  }

  #entry(row: Record<string, SQLOutputValue>): JournalEntry {
    const { position, at, actor, operation, reason, request_id: requestId, result } = row;
    return {
      revision: { epoch: this.#owner.epoch, position: Number(position) },
      at: Number(at),
      actor: String(actor),
      operation: String(operation),
      reason: String(reason),
      requestId: String(requestId),
      keys: this.#statements.keys.all(Number(position)).map(({ key }) => String(key)),
      ...(result instanceof Uint8Array ? { result } : {}),
    };
  }
}

function prepareStatements(database: DatabaseSync) {
  return {
    request: database.prepare(`SELECT ${COLUMNS} FROM journal WHERE request_id = ?1 AND ?1 <> ''`),
    newest: database.prepare(`SELECT ${COLUMNS} FROM journal ORDER BY position DESC LIMIT ?`),
    newestOf: database.prepare(
      `SELECT ${COLUMNS} FROM journal_keys JOIN journal USING (position) WHERE key = ? ORDER BY position DESC LIMIT ?`,
    ),
    keys: database.prepare("SELECT key FROM journal_keys WHERE position = ? ORDER BY key"),
    add: database.prepare(`INSERT INTO journal (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`),
    addKey: database.prepare("INSERT INTO journal_keys (key, position) VALUES (?, ?)"),
    old: database.prepare("SELECT position FROM journal WHERE at < ? ORDER BY position LIMIT ?"),
    dropKeys: database.prepare("DELETE FROM journal_keys WHERE position = ?"),
    drop: database.prepare("DELETE FROM journal WHERE position = ?"),
  };
}
