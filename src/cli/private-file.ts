import { lstatSync, type Stats } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { CliFailure, EXIT } from "./exit.ts";
import { unwritable, writing } from "./file-failure.ts";

/**
 * Writes a file that only its owner can read. It is `PATH.part` until it is complete and on disk, then gets its name.
 *
 * Replaces an existing file only when `isForced`, and only a plain file: a link is not followed, a device or
 * a pipe is left alone.
 *
 * @throws CliFailure when it cannot be written, with the path and the reason; an earlier file is then unchanged.
 */
export async function writePrivateFile<T>(
  path: string,
  { isForced }: { readonly isForced: boolean },
  write: (file: FileHandle) => Promise<T>,
): Promise<T> {
  checkReplaceable(path, isForced);
  const part = `${path}.part`;
  const left = look(part);
  if (left !== undefined && !left.isFile()) throw unwritable(path, `${part} is in the way, ${kindOf(left)}`);
  await writing(path, rm(part, { force: true }));
  const file = await writing(path, open(part, "wx", 0o600));
  try {
    const result = await write(file);
    await writing(path, file.sync());
    await file.close();
    checkReplaceable(path, isForced);
    await writing(path, rename(part, path));
    return result;
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(part, { force: true });
    throw error;
  }
}

/** Refuses before any work is done: the content may take long to arrive. */
export function checkReplaceable(path: string, isForced: boolean): void {
  const found = look(path);
  if (found === undefined) return;
  if (!found.isFile()) throw unwritable(path, `it is ${kindOf(found)}, and only a plain file is replaced`);
  if (isForced) return;
  throw new CliFailure(EXIT.failed, `${path} exists: choose another name, or repeat with --force to replace it`);
}

function look(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

function kindOf(found: Stats): string {
  if (found.isSymbolicLink()) return "a link";
  if (found.isDirectory()) return "a directory";
  return found.isFIFO() ? "a pipe" : found.isSocket() ? "a socket" : "a device";
}
