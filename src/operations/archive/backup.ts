import type { MessageInitShape } from "@bufbuild/protobuf";
import type { BackupResponseSchema } from "../../gen/fairlead/admin/v1/archive_pb.ts";
import { instantOfMs } from "../../runtime/instant.ts";
import type { ArchiveRecord } from "../../store/archive.ts";
import { formatRevision } from "../../store/revision.ts";
import type { Caller, Context } from "../context.ts";
import { BACKUP_FORMAT, type BackupRecordInit, recordMessage } from "./backup-record.ts";

/** About how many bytes the values in one answer have; a single one may have as many. */
const ANSWER_BYTES = 1_000_000;

/** Streams all that the store holds, at one revision. What is written meanwhile is not included. */
export async function* backup(
  { archive, store, plane }: Context,
  { signal }: Caller,
): AsyncGenerator<MessageInitShape<typeof BackupResponseSchema>> {
  const { revision, parts } = await archive.read();
  const head = { format: BACKUP_FORMAT, productVersion: plane.version, revision: formatRevision(revision) };
  let records: BackupRecordInit[] = [{ record: { case: "head", value: { ...head, time: instantOfMs(store.now()) } } }];
  let bytes = 0;
  const counts = { entries: 0n, copies: 0n, journal: 0n };
  for await (const part of parts) {
    signal.throwIfAborted();
    for (const record of part) {
      records.push(recordMessage(record));
      bytes += bytesOf(record);
      counts[COUNT[record.kind]] += 1n;
      if (bytes < ANSWER_BYTES) continue;
      yield { records };
      records = [];
      bytes = 0;
    }
    if (records.length > 0) yield { records };
    records = [];
    bytes = 0;
  }
  yield { records: [...records, { record: { case: "end", value: counts } }] };
}

/** Approximate: of a journal entry, only what may be long counts. */
function bytesOf(record: ArchiveRecord): number {
  if (record.kind !== "journal") return record.value.byteLength;
  const { result, keys } = record.entry;
  return (result?.byteLength ?? 0) + keys.reduce((sum, key) => sum + key.length, 0);
}

const COUNT = { entry: "entries", copy: "copies", journal: "journal" } as const;
