import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ControlPlaneError } from "../domain/errors.ts";
import { processId } from "../runtime/process-id.ts";
import { foreignStore, newerRelease } from "./errors.ts";

/** "FLRD": marks the file as ours. */
const APPLICATION_ID = 0x464c5244;
/** Grows with each change that an older release could not read. */
const SCHEMA = 2;
const FILE_NAME = "fairlead.db";
const HOLDER_NAME = "fairlead.pid";

const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

const CREATE = `
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA};
  CREATE TABLE head (epoch INTEGER NOT NULL, position INTEGER NOT NULL, at INTEGER NOT NULL, floor INTEGER NOT NULL);
  INSERT INTO head VALUES (1, 0, 0, 0);
  -- No value: deleted, and kept so that a watch can tell of it.
  CREATE TABLE entries (key TEXT PRIMARY KEY, position INTEGER NOT NULL, at INTEGER NOT NULL, value BLOB);
  CREATE INDEX deleted ON entries (at) WHERE value IS NULL;
  -- Copies and the journal outlive their epoch, and keep their revision.
  CREATE TABLE history (
    key TEXT NOT NULL, slot INTEGER NOT NULL, generation INTEGER NOT NULL, epoch INTEGER NOT NULL, position INTEGER NOT NULL,
    value BLOB NOT NULL, PRIMARY KEY (key, slot));
  CREATE TABLE journal (
    epoch INTEGER NOT NULL, position INTEGER NOT NULL, at INTEGER NOT NULL, actor TEXT NOT NULL, operation TEXT NOT NULL,
    reason TEXT NOT NULL, request_id TEXT NOT NULL, result BLOB, PRIMARY KEY (epoch, position)) WITHOUT ROWID;
  CREATE UNIQUE INDEX request ON journal (request_id) WHERE request_id <> '';
  CREATE TABLE journal_keys (
    key TEXT NOT NULL, epoch INTEGER NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (key, epoch, position)) WITHOUT ROWID;
  CREATE INDEX journal_keys_revision ON journal_keys (epoch, position);
`;

export interface SqliteFile {
  readonly database: DatabaseSync;
  /** Says so when another file, or none, is now where this one was: what is written here would be gone at the next start. */
  replaced(): string | undefined;
  close(): void;
}

/**
 * Opens the database of a data directory, or makes it, and holds it: the operating system's lock keeps any other process
 * away until this one closes it or ends, however it ends.
 *
 * @throws ControlPlaneError `precondition`: `DATA_NOT_WRITABLE`, `STORE_IN_USE` (`details.pid`), `NOT_A_FAIRLEAD_STORE`,
 * `WRITTEN_BY_NEWER_RELEASE`; `corrupt` / `STORE_CORRUPT`.
 */
export function openSqliteFile(directory: string): SqliteFile {
  const path = join(directory, FILE_NAME);
  const holder = join(directory, HOLDER_NAME);
  let database: DatabaseSync | undefined;
  try {
    makeDirectory(directory);
    database = new DatabaseSync(path);
    prepare(database, path);
    writeFileSync(holder, `${processId}\n`);
  } catch (error) {
    database?.close();
    throw refusal(error, { directory, path, holder });
  }
  const open = database;
  const { ino, dev } = statSync(path);
  return {
    database: open,
    replaced: () => {
      const found = statSync(path, { throwIfNoEntry: false });
      if (found?.ino === ino && found.dev === dev) return undefined;
      return `${path} was ${found === undefined ? "removed" : "replaced"} while the plane ran; stop the plane, and start it on the file that is meant`;
    },
    close: () => {
      rmSync(holder, { force: true });
      open.close();
    },
  };
}

/** A database that ends with its process. */
export function openSqliteMemory(): SqliteFile {
  const database = new DatabaseSync(":memory:");
  prepare(database, ":memory:");
  return { database, replaced: () => undefined, close: () => database.close() };
}

/** Not `recursive`: that never returns where the system answers ENOENT below an existing folder, as /proc does. */
function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  makeDirectory(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}

/** Takes the lock with the first read, and changes nothing before it knows that the file is ours. */
function prepare(database: DatabaseSync, path: string): void {
  database.exec("PRAGMA locking_mode = EXCLUSIVE");
  const isNew = pragma(database, "schema_version") === 0;
  if (!isNew) {
    if (pragma(database, "application_id") !== APPLICATION_ID) {
      throw foreignStore(`${path} is a database of another application; choose another data directory`, { path });
    }
    const schema = pragma(database, "user_version");
    if (schema > SCHEMA) throw newerRelease(path, schema, SCHEMA);
    if (schema < SCHEMA) {
      throw foreignStore(`${path} has schema ${schema}, which no release wrote; choose another data directory`, {
        path,
      });
    }
  }
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN IMMEDIATE");
  if (isNew) database.exec(CREATE);
  database.exec("COMMIT");
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

function refusal(error: unknown, where: { directory: string; path: string; holder: string }): ControlPlaneError {
  if (error instanceof ControlPlaneError) return error;
  const { directory, path } = where;
  const code = error instanceof Error && "errcode" in error ? error.errcode : undefined;
  if (code === SQLITE_BUSY) {
    const pid = readHolder(where.holder);
    return new ControlPlaneError({
      kind: "precondition",
      code: "STORE_IN_USE",
      message: `${directory} is in use by process ${pid}; stop that one, or choose another data directory`,
      details: { directory, pid },
    });
  }
  if (code === SQLITE_NOTADB) {
    return foreignStore(`${path} is not a database of Fairlead; choose another data directory`, { path });
  }
  if (code === SQLITE_CORRUPT) {
    return new ControlPlaneError({
      kind: "corrupt",
      code: "STORE_CORRUPT",
      message: `${path} is damaged; restore a backup`,
      details: { path },
      cause: error,
    });
  }
  return new ControlPlaneError({
    kind: "precondition",
    code: "DATA_NOT_WRITABLE",
    message: `${directory} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
    details: { directory },
    cause: error,
  });
}

function readHolder(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "unknown";
  }
}
