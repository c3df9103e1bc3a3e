import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, stat } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { sizeDelimitedDecodeStream, sizeDelimitedEncode } from "@bufbuild/protobuf/wire";
import {
  type BackupEnd,
  type BackupHead,
  type BackupRecord,
  BackupRecordSchema,
} from "../gen/fairlead/admin/v1/archive_pb.ts";
import { CliFailure, EXIT, refusedWhole } from "./exit.ts";
import { reading, writing } from "./file-failure.ts";
import { writePrivateFile } from "./private-file.ts";

/**
 * A backup on disk: this line, then the records of the `Backup` call, each prefixed with its size, then the SHA-256 of
 * all of that.
 */
const MAGIC = new TextEncoder().encode("fairlead backup 1\n");
const MAGIC_FAMILY = "fairlead backup ";
const DIGEST_BYTES = 32;
/** About so many bytes are in one group of records that is read. */
const GROUP_BYTES = 1_000_000;

export interface BackupSummary {
  readonly head: BackupHead;
  readonly end: BackupEnd;
  readonly bytes: number;
}

/** Writes a backup that only its owner can read, since it holds private keys. */
export async function writeBackup(
  path: string,
  options: { readonly isForced: boolean },
  records: AsyncIterable<readonly BackupRecord[]>,
): Promise<BackupSummary> {
  return await writePrivateFile(path, options, (file) => write(file, path, records));
}

async function write(
  file: FileHandle,
  path: string,
  records: AsyncIterable<readonly BackupRecord[]>,
): Promise<BackupSummary> {
  const hash = createHash("sha256");
  const ends: Ends = {};
  let bytes = 0;
  const append = async (chunk: Uint8Array) => {
    hash.update(chunk);
    bytes += chunk.byteLength;
    await writing(path, file.appendFile(chunk));
  };
  await append(MAGIC);
  for await (const some of records) {
    for (const message of some) noteEnds(ends, message);
    await append(Buffer.concat(some.map((message) => sizeDelimitedEncode(BackupRecordSchema, message))));
  }
  const { head, end } = ends;
  if (head === undefined || end === undefined) {
    throw new CliFailure(EXIT.failed, "the plane ended the backup before it was complete: no file was written");
  }
  await writing(path, file.appendFile(hash.digest()));
  return { head, end, bytes: bytes + DIGEST_BYTES };
}

/** Reads a whole backup, to make sure that it is complete before any of it is sent. */
export async function checkBackup(path: string): Promise<BackupSummary> {
  const bytes = await sizeOf(path);
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { end: bytes - DIGEST_BYTES - 1 })) hash.update(chunk as Buffer);
  const trailer = await buffer(createReadStream(path, { start: bytes - DIGEST_BYTES }));
  if (!hash.digest().equals(trailer)) throw damaged(path, "its checksum does not match its content");
  const ends: Ends = {};
  for await (const records of readBackup(path)) for (const message of records) noteEnds(ends, message);
  const { head, end } = ends;
  if (head === undefined || end === undefined) throw damaged(path, "its head or its end is missing");
  return { head, end, bytes };
}

/** The records of a checked backup, in groups. */
export async function* readBackup(path: string): AsyncGenerator<readonly BackupRecord[]> {
  const range = { start: MAGIC.byteLength, end: (await sizeOf(path)) - DIGEST_BYTES - 1 };
  let some: BackupRecord[] = [];
  let bytes = 0;
  try {
    for await (const message of sizeDelimitedDecodeStream(BackupRecordSchema, createReadStream(path, range))) {
      some.push(message);
      bytes += bytesOf(message);
      if (bytes < GROUP_BYTES) continue;
      yield some;
      some = [];
      bytes = 0;
    }
  } catch (error) {
    throw damaged(path, error instanceof Error ? error.message : String(error));
  }
  if (some.length > 0) yield some;
}

/** An estimate: counts what may be long in a record. */
function bytesOf({ record }: BackupRecord): number {
  if (record.case === "entry" || record.case === "copy") return record.value.value.byteLength + 100;
  if (record.case !== "journal") return 1_000;
  const { result, keys } = record.value;
  return (result?.byteLength ?? 0) + keys.reduce((sum, key) => sum + key.length, 1_000);
}

interface Ends {
  head?: BackupHead;
  end?: BackupEnd;
}

function noteEnds(ends: Ends, { record }: BackupRecord): void {
  if (record.case === "head") ends.head = record.value;
  if (record.case === "end") ends.end = record.value;
}

async function sizeOf(path: string): Promise<number> {
  const { size } = await reading(path, stat(path));
  const found = await reading(path, buffer(createReadStream(path, { end: MAGIC.byteLength - 1 })));
  if (!found.toString("latin1").startsWith(MAGIC_FAMILY)) throw refusedWhole([`${path}: not a backup of Fairlead`]);
  if (size < MAGIC.byteLength + DIGEST_BYTES) throw damaged(path, "it is incomplete");
  if (found.equals(MAGIC)) return size;
  throw refusedWhole([`${path}: written by a newer release; restore it with the fairlead of that release`]);
}

function damaged(path: string, why: string): CliFailure {
  return refusedWhole([`${path}: damaged: ${why}`]);
}
