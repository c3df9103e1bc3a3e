import { ControlPlaneError } from "../domain/errors.ts";
import { foreignStore } from "./errors.ts";

const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;

/** Where the parts of a data directory are. */
export interface DataPlaces {
  readonly directory: string;
  /** The database. */
  readonly path: string;
  /** Names the process that holds it: a file for people. */
  readonly holder: string;
}

/** The error for a database that cannot be opened: what was found at which path, and what to do. */
export function openingFailure(
  error: unknown,
  { directory, path }: DataPlaces,
  holderPid: () => string,
): ControlPlaneError {
  if (error instanceof ControlPlaneError) return error;
  const code = sqliteCode(error);
  if (code === SQLITE_BUSY) {
    const pid = holderPid();
    return new ControlPlaneError({
      kind: "precondition",
      code: "STORE_IN_USE",
      message: `${directory} is in use by process ${pid}; stop it, or choose another data directory`,
      details: { directory, pid },
    });
  }
  if (code === SQLITE_NOTADB) {
    return foreignStore(
      `${path} is not a database of Fairlead, or its beginning is damaged: choose another data directory, or move the file away and restore a backup`,
      { path },
    );
  }
  if (code === SQLITE_CORRUPT) return damagedStore(path, messageOf(error), error);
  return new ControlPlaneError({
    kind: "precondition",
    code: "DATA_NOT_WRITABLE",
    message: `${directory} cannot be written: ${code === SQLITE_FULL ? FULL : messageOf(error)}`,
    details: { directory },
    cause: error,
  });
}

/** What the database at this path holds cannot be trusted. */
export function damagedStore(path: string, found: string, cause?: unknown): ControlPlaneError {
  return new ControlPlaneError({
    kind: "corrupt",
    code: "STORE_CORRUPT",
    message: `${path} is damaged (${found}); keep a copy of it, move it away, and restore a backup`,
    details: { path },
    cause,
  });
}

/** Why a write to the database at this path failed. */
export function writeFailure(path: string, error: unknown): string {
  const code = sqliteCode(error);
  if (code === SQLITE_FULL) return `${path}: ${FULL}; free some space`;
  if (code === SQLITE_CORRUPT || code === SQLITE_NOTADB) return damagedStore(path, messageOf(error)).message;
  return `${path}: ${messageOf(error)}`;
}

const FULL = "the disk is full, or the quota on it is used up";

/** The primary code, without what SQLite adds to it. */
function sqliteCode(error: unknown): number | undefined {
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number"
    ? error.errcode & 0xff
    : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
