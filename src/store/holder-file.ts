import { closeSync, constants, openSync, readSync, rmSync, writeFileSync } from "node:fs";
import { processId } from "../runtime/process-id.ts";

const LONGEST_PID = 10;

/** Tells people which process holds a data directory; the lock itself is the operating system's, on the database. */
export function writeHolder(path: string): void {
  // A file that somebody else put there is removed, never written to, and a link is not followed.
  rmSync(path, { force: true });
  writeFileSync(path, `${processId}\n`, { flag: "wx", mode: 0o600 });
}

/** The process id that was written there; `unknown` when there is anything else. */
export function readHolder(path: string): string {
  try {
    // Non-blocking, since it may be a pipe that nobody writes to.
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const bytes = Buffer.alloc(LONGEST_PID + 1);
      const text = bytes.toString("latin1", 0, readSync(file, bytes)).trim();
      return /^\d+$/.test(text) ? text : "unknown";
    } finally {
      closeSync(file);
    }
  } catch {
    return "unknown";
  }
}
