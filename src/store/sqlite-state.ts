import type { SQLOutputValue } from "node:sqlite";
import type { Held, HeldContent, Tombstone } from "./held-state.ts";
import type { SqliteFile } from "./sqlite-file.ts";
import { bytesOf, exact, numberOf } from "./sqlite-values.ts";
import type { HistoryCopy } from "./state-store.ts";

/** The statements with which the state is written, and its copies are read. */
export function prepareStatements({ database }: SqliteFile) {
  return {
    head: database.prepare("UPDATE head SET position = ?, at = ?, floor = ?"),
    entry: database.prepare("INSERT OR REPLACE INTO entries (key, position, at, value) VALUES (?, ?, ?, ?)"),
    copy: database.prepare(
      "INSERT OR REPLACE INTO history (key, slot, generation, epoch, position, value) VALUES (?, ?, ?, ?, ?, ?)",
    ),
    history: exact(
      database.prepare(
        "SELECT generation, epoch, position, value FROM history WHERE key = ? ORDER BY epoch DESC, position DESC",
      ),
    ),
    forget: database.prepare("DELETE FROM entries WHERE value IS NULL AND at < ?"),
  };
}

/** A row of the history. */
export function readCopy({ generation, epoch, position, value }: Record<string, SQLOutputValue>): HistoryCopy {
  const revision = { epoch: numberOf(epoch), position: numberOf(position) };
  return { generation: numberOf(generation), value: bytesOf(value), revision };
}

/** The whole state, as the file holds it. */
export function loadState({ database }: SqliteFile): HeldContent {
  const head = exact(database.prepare("SELECT epoch, position, at, floor FROM head")).get();
  if (head === undefined) throw new Error("a store without a head");
  const entries = new Map<string, Held>();
  const tombstones = new Map<string, Tombstone>();
  const stored = exact(database.prepare("SELECT key, position, value FROM entries WHERE value IS NOT NULL"));
  for (const row of stored.iterate()) {
    entries.set(String(row.key), { position: numberOf(row.position), value: bytesOf(row.value) });
  }
  const deleted = exact(
    database.prepare("SELECT key, position, at FROM entries WHERE value IS NULL ORDER BY position"),
  );
  for (const row of deleted.iterate()) {
    tombstones.set(String(row.key), { position: numberOf(row.position), at: numberOf(row.at) });
  }
  const [epoch, position, at, floor] = [head.epoch, head.position, head.at, head.floor].map(numberOf);
  return { epoch: epoch || 1, position: position ?? 0, at: at ?? 0, floor: floor ?? 0, entries, tombstones };
}
