import { ControlPlaneError } from "../domain/errors.ts";
import { formatRevision, type Revision } from "./revision.ts";

/** A guard did not hold. */
export function mismatch(key: string): ControlPlaneError {
  return conflict("VERSION_MISMATCH", `${key} is not what the write expected; read it again and decide anew`, { key });
}

/** The batch's guard failed. If it is a fencing token, a newer one was written: the writer has lost the lease. */
export function fenced(key: string): ControlPlaneError {
  return conflict("FENCED", `another writer has taken over ${key}; this one must stop`, { key });
}

/** A commit with this request id is in the journal already. */
export function requestSeen(requestId: string): ControlPlaneError {
  const message = `request ${requestId} has already been committed; the journal holds its result`;
  return conflict("REQUEST_SEEN", message, { requestId });
}

/** Another import or restore replaced the store's content. Nothing was written. */
export function replacedMeanwhile(): ControlPlaneError {
  const message = "another import or restore came first or is under way; check the state and decide anew";
  return conflict("REPLACED_MEANWHILE", message);
}

function conflict(code: string, message: string, details: Readonly<Record<string, string>> = {}): ControlPlaneError {
  return new ControlPlaneError({ kind: "conflict", code, message, details });
}

/** A reader of a watch that does not keep up: what is held for it is bounded. */
export function readerTooSlow(maxUnread: number): ControlPlaneError {
  return new ControlPlaneError({
    kind: "exhausted",
    code: "READER_TOO_SLOW",
    message: `more than ${maxUnread} objects changed before the watcher had read any of them (docs/api.md, "Limits"); read faster, or watch again from the last revision`,
    details: { max: String(maxUnread) },
  });
}

export function storeClosed(): ControlPlaneError {
  return new ControlPlaneError({ kind: "unavailable", code: "STORE_CLOSED", message: "the store is closed" });
}

/** Nothing was written. */
export function unreachable(message: string, cause?: unknown): ControlPlaneError {
  return new ControlPlaneError({ kind: "unavailable", code: "STORE_UNREACHABLE", message, cause });
}

/** It may have been written. */
export function outcomeUnknown(message: string, cause?: unknown): ControlPlaneError {
  return new ControlPlaneError({ kind: "unavailable", code: "OUTCOME_UNKNOWN", message, cause });
}

export function compacted(revision: Revision): ControlPlaneError {
  const from = formatRevision(revision);
  return new ControlPlaneError({
    kind: "precondition",
    code: "COMPACTED",
    message: `revision ${from} is too old to resume from, or belongs to another epoch; read everything again`,
    details: { from },
  });
}

/**
 * The store is not the one that was served from, and no new epoch says that this is intended. Nothing was written.
 *
 * @param what Says what was found, and what to do.
 */
export function storeReplaced(what: string): ControlPlaneError {
  return new ControlPlaneError({ kind: "unavailable", code: "STORE_REPLACED", message: what });
}

/** The database or bucket belongs to something else. */
export function foreignStore(message: string, details: Readonly<Record<string, string>>): ControlPlaneError {
  return new ControlPlaneError({ kind: "precondition", code: "NOT_A_FAIRLEAD_STORE", message, details });
}

export function newerRelease(where: string, found: number, known: number): ControlPlaneError {
  return new ControlPlaneError({
    kind: "precondition",
    code: "WRITTEN_BY_NEWER_RELEASE",
    message: `${where} was written by a newer release (schema ${found}; this one knows up to ${known}); run that release, or restore a backup`,
    details: { found: String(found), known: String(known) },
  });
}
