import { type RecordProblem, readRecord } from "../../control/stored-record.ts";
import { toControlPlaneError } from "../../domain/errors.ts";
import type { ArchiveRecord } from "../../store/archive.ts";
import { checkKey } from "../../store/batch.ts";
import { type JournalEntry, MAX_REQUEST_ID_LENGTH } from "../../store/journal.ts";
import { MAX_RESULT_BYTES } from "../../store/state-store.ts";

/** The last time that can be written as text: the end of the year 9999, in milliseconds since the epoch. */
const LAST_TIME = 253_402_300_799_999;
const MAX_TEXT_LENGTH = 2048;
/** The last place for copies of a key; beyond any that a release has used. */
const MAX_SLOT = 999;
const NO_REVISION = { epoch: 0, position: 0 };

/** Why a store should not accept a record: it breaks a rule that everything a plane writes itself keeps. */
export function archiveRecordFault(record: ArchiveRecord): RecordProblem | undefined {
  if (record.kind === "journal") return journalFault(record.entry);
  const { key, value } = record;
  const { content, problem } = readRecord(key, value, NO_REVISION);
  if (problem !== undefined || record.kind === "entry") return problem;
  if (content?.is !== "object") return fault("only objects have earlier contents");
  if (record.slot > MAX_SLOT) return fault(`its place ${record.slot} is beyond ${MAX_SLOT}`);
  if (!Number.isSafeInteger(record.generation) || record.generation < 1) return fault("it has no generation");
  return undefined;
}

/** A name by which a person can find the record: `key projects/default/services/shop`. */
export function archiveRecordName(record: ArchiveRecord): string {
  if (record.kind === "entry") return `key ${record.key}`;
  if (record.kind === "copy") return `earlier content ${record.slot} of ${record.key}`;
  return `journal entry of ${record.entry.revision.epoch}.${record.entry.revision.position}`;
}

function journalFault(entry: JournalEntry): RecordProblem | undefined {
  const { at, actor, operation, reason, requestId, keys, result } = entry;
  if (!(at >= 0 && at <= LAST_TIME)) return fault("its time is not within the years 1970 to 9999");
  if (requestId.length > MAX_REQUEST_ID_LENGTH)
    return fault(`its request id has more than ${MAX_REQUEST_ID_LENGTH} characters`);
  if ([actor, operation, reason].some((text) => text.length > MAX_TEXT_LENGTH)) {
    return fault(`its actor, operation or reason has more than ${MAX_TEXT_LENGTH} characters`);
  }
  if ((result?.byteLength ?? 0) > MAX_RESULT_BYTES) return fault(`its result has more than ${MAX_RESULT_BYTES} bytes`);
  if (new Set(keys).size !== keys.length) return fault("it names a key twice");
  try {
    keys.forEach(checkKey);
    return undefined;
  } catch (thrown) {
    return fault(toControlPlaneError(thrown).message);
  }
}

function fault(why: string): RecordProblem {
  return { why, isNewer: false };
}
