import {
  chmodSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
  type Stats,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { userId } from "../runtime/process-id.ts";
import { foreignStore, newerRelease } from "./errors.ts";
import { readHolder, writeHolder } from "./holder-file.ts";
import { type DataPlaces, damagedStore, openingFailure } from "./sqlite-failure.ts";

/** "FLRD": marks the file as ours. */
const APPLICATION_ID = 0x464c5244;
/** Grows with each change that an older release could not read. */
const SCHEMA = 2;
const FILE_NAME = "fairlead.db";
const HOLDER_NAME = "fairlead.pid";

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
  /** The path of the database, for messages. */
  readonly path: string;
  /** Whether there was none before. */
  readonly isNew: boolean;
  /** Says so when this file was replaced or removed: what is written to it would be lost at the next start. */
  replaced(): string | undefined;
  close(): void;
}

/**
 * Opens the database of a data directory, or makes it, and holds it: the operating system's lock keeps any other process away
 * until this one closes it or ends, however it ends. Only its owner can read it, even if others can read the directory.
 *
 * It is made only where there is no trace of an earlier one: the remains of a database never become an empty one.
 *
 * @throws ControlPlaneError `precondition`: `DATA_NOT_WRITABLE`, `STORE_IN_USE` (`details.pid`), `NOT_A_FAIRLEAD_STORE`,
 * `WRITTEN_BY_NEWER_RELEASE`; `corrupt` / `STORE_CORRUPT`.
 */
export function openSqliteFile(directory: string): SqliteFile {
  const path = join(directory, FILE_NAME);
  const holder = join(directory, HOLDER_NAME);
  const places = { directory, path, holder };
  let isNew = false;
  let database: DatabaseSync | undefined;
  try {
    makeDirectory(directory);
    if (isMissing(places)) {
      closeSync(openSync(path, "wx", 0o600));
      isNew = true;
    } else keepPrivate(path);
    database = new DatabaseSync(path);
    prepare(database, path, isNew);
    writeHolder(holder);
  } catch (error) {
    database?.close();
    if (isNew) for (const part of [path, ...logsOf(path)]) rmSync(part, { force: true });
    throw openingFailure(error, places, () => readHolder(holder));
  }
  const open = database;
  const { ino, dev } = statSync(path);
  return {
    database: open,
    path,
    isNew,
    replaced: () => {
      const found = look(path);
      if (found?.ino === ino && found.dev === dev) return undefined;
      return `${path} was ${found === undefined ? "removed" : "replaced"} while the plane ran; stop the plane and start it on the right file`;
    },
    close: () => {
      rmSync(holder, { force: true });
      open.close();
    },
  };
}

/** A database that ends with its process: for tests. */
export function openSqliteMemory(): SqliteFile {
  const path = ":memory:";
  const database = new DatabaseSync(path);
  prepare(database, path, true);
  return { database, path, isNew: true, replaced: () => undefined, close: () => database.close() };
}

/** Not `recursive`: that never returns where the system answers ENOENT below an existing folder, as /proc does. */
function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  makeDirectory(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}

/** Whether there is no database, nor anything that only a used one leaves behind. */
function isMissing({ path, holder }: DataPlaces): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) {
    const left = [...logsOf(path), holder].find((file) => lstatSync(file, { throwIfNoEntry: false }) !== undefined);
    if (left === undefined) return true;
    throw damagedStore(
      path,
      `it is missing, but ${left} is still there, so a plane ran here; to start with an empty store, remove that file`,
    );
  }
  if (found.isFile() && found.size === 0) {
    throw damagedStore(path, "it is empty, which no plane leaves behind; to start with an empty store, remove it");
  }
  return false;
}

/** The files that SQLite keeps beside a database. */
function logsOf(path: string): readonly string[] {
  return [`${path}-wal`, `${path}-journal`, `${path}-shm`];
}

/**
 * Closes to others the files that an earlier release, or a copy, left open to them, as far as they are ours. SQLite gives
 * the same mode to the files that it makes beside the database.
 */
function keepPrivate(path: string): void {
  for (const file of [path, ...logsOf(path)]) {
    const found = lstatSync(file, { throwIfNoEntry: false });
    if (found?.isFile() && found.uid === userId && (found.mode & 0o077) !== 0) chmodSync(file, 0o600);
  }
}

/** Undefined also where it cannot be examined. */
function look(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Takes the lock with the first read, and changes nothing before it knows that the file is ours. */
function prepare(database: DatabaseSync, path: string, isNew: boolean): void {
  database.exec("PRAGMA locking_mode = EXCLUSIVE");
  const isEmpty = pragma(database, "schema_version") === 0;
  if (!isNew) {
    if (pragma(database, "application_id") !== APPLICATION_ID) {
      const what = isEmpty ? "an empty database that Fairlead did not create" : "a database of another application";
      throw foreignStore(`${path} is ${what}; choose another data directory`, { path });
    }
    const schema = pragma(database, "user_version");
    if (schema > SCHEMA) throw newerRelease(path, schema, SCHEMA);
    if (schema < SCHEMA) {
      throw foreignStore(`${path} has schema ${schema}, which no release writes; choose another data directory`, {
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
