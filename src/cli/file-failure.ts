import { getSystemErrorMessage } from "node:util";
import { CliFailure, EXIT, refusedWhole } from "./exit.ts";

/** Awaits a part of the reading of a file that says what is to change; its failure names the file and why. */
export async function reading<T>(path: string, part: Promise<T>): Promise<T> {
  try {
    return await part;
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

export function unreadable(path: string, cause: unknown): CliFailure {
  return refusedWhole([`${path}: cannot be read: ${whyText(cause)}`], cause);
}

/** Awaits a part of the writing of a file; its failure names the file and why. */
export async function writing<T>(path: string, part: Promise<T>): Promise<T> {
  try {
    return await part;
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

/** @param why What was thrown, or a text. */
export function unwritable(path: string, why: unknown): CliFailure {
  return new CliFailure(EXIT.failed, `${path}: cannot be written: ${whyText(why)}`, { cause: why });
}

/** The system's own words, without the name of the call and the path once more. */
function whyText(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const { errno } = thrown as NodeJS.ErrnoException;
  return errno === undefined ? thrown.message : getSystemErrorMessage(errno);
}
