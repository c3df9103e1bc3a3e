import { ControlPlaneError } from "../domain/errors.ts";
import { outcomeUnknown, unreachable } from "./errors.ts";
import { writeFailure } from "./sqlite-failure.ts";
import type { SqliteFile } from "./sqlite-file.ts";

/**
 * Runs `write` in one transaction.
 *
 * @throws ControlPlaneError `unavailable` / `STORE_UNREACHABLE` when nothing was written, `OUTCOME_UNKNOWN` when that is not
 * certain; `cause` is what SQLite threw. A `ControlPlaneError` of `write` is thrown as it is; nothing was written then either.
 */
export function transact({ database, path }: SqliteFile, write: () => void): void {
  let isWritten = false;
  try {
    database.exec("BEGIN IMMEDIATE");
    write();
    isWritten = true;
    database.exec("COMMIT");
  } catch (error) {
    try {
      if (database.isTransaction) database.exec("ROLLBACK");
    } catch {
      // SQLite has rolled back itself, or does so before the next transaction, which will tell.
    }
    if (error instanceof ControlPlaneError) throw error;
    const why = writeFailure(path, error);
    if (isWritten) throw outcomeUnknown(`the disk did not confirm the write: ${why}`, error);
    throw unreachable(`nothing was written: ${why}`, error);
  }
}
