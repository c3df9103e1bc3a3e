import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { ControlPlaneError } from "../../domain/errors.ts";
import type { BackupRecord, BackupRecordSchema } from "../../gen/fairlead/admin/v1/archive_pb.ts";
import { instantOfMs } from "../../runtime/instant.ts";
import type { ArchiveRecord } from "../../store/archive.ts";
import { formatRevision, parseRevision, type Revision } from "../../store/revision.ts";

/** The form that this release writes, and the newest that it reads. */
export const BACKUP_FORMAT = 1;

export type BackupRecordInit = MessageInitShape<typeof BackupRecordSchema>;

export function recordMessage(record: ArchiveRecord): BackupRecordInit {
  if (record.kind === "entry") return { record: { case: "entry", value: { key: record.key, value: record.value } } };
  if (record.kind === "copy") {
    const { key, slot, generation, value, revision } = record;
    const at = revision === undefined ? "" : formatRevision(revision);
    return { record: { case: "copy", value: { key, slot, generation: BigInt(generation), value, revision: at } } };
  }
  const { revision, at, keys, result, ...said } = record.entry;
  const entry = { ...said, keys: [...keys], revision: formatRevision(revision), time: instantOfMs(at) };
  return { record: { case: "journal", value: { ...entry, ...(result && { result }) } } };
}

/** The record for the store; undefined for the head and the end. */
export function recordOf({ record }: BackupRecord): ArchiveRecord | undefined {
  if (record.case === "entry") return { kind: "entry", key: record.value.key, value: record.value.value };
  if (record.case === "copy") {
    const { key, slot, generation, value, revision } = record.value;
    return { kind: "copy", key, slot, generation: Number(generation), value, revision: readRevision(revision) };
  }
  if (record.case === "journal") {
    const { revision, time, actor, operation, reason, requestId, keys, result } = record.value;
    const said = { actor, operation, reason, requestId, keys, ...(result && { result }) };
    const at = time === undefined ? 0 : timestampMs(time);
    return { kind: "journal", entry: { ...said, revision: readRevision(revision), at } };
  }
  return undefined;
}

export function readRevision(text: string): Revision {
  const revision = parseRevision(text);
  if (revision === undefined) throw badBackup(`it contains "${text}", which is not a revision`);
  return revision;
}

export function badBackup(why: string, code = "BAD_BACKUP"): ControlPlaneError {
  return new ControlPlaneError({
    kind: "invalid",
    code,
    message: `the backup cannot be restored: ${why}; nothing was changed`,
  });
}
