import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { sizeDelimitedDecodeStream, sizeDelimitedEncode } from "@bufbuild/protobuf/wire";
import {
  type BackupEnd,
  type BackupHead,
  type BackupRecord,
  BackupRecordSchema,
} from "../gen/fairlead/admin/v1/archive_pb.ts";
import { CliFailure, EXIT } from "./exit.ts";

/**
 * A backup on disk: this line, then the records of the `Backup` call, each with its size before it, then the SHA-256 of
 * all that.
 */
const MAGIC = new TextEncoder().encode("fairlead backup 1\n");
const MAGIC_FAMILY = "fairlead backup ";
const DIGEST_BYTES = 32;
const FLUSH_BYTES = 1_000_000;

export interface BackupSummary {
  readonly head: BackupHead;
  readonly end: BackupEnd;
  readonly bytes: number;
}

/**
 * Writes a backup for its owner only, since private keys are in it. It is under its name once it is whole and on disk;
 * before that, beside it.
 */
export async function writeBackup(
  path: string,
  records: AsyncIterable<readonly BackupRecord[]>,
): Promise<BackupSummary> {
  const part = `${path}.part`;
  await rm(part, { force: true });
  const file = await writing(path, open(part, "wx", 0o600));
  try {
    const summary = await write(file, path, records);
    await file.sync();
    await file.close();
    await writing(path, rename(part, path));
    return summary;
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(part, { force: true });
    throw error;
  }
}

async function write(
  file: FileHandle,
  path: string,
  records: AsyncIterable<readonly BackupRecord[]>,
): Promise<BackupSummary> {
  const hash = createHash("sha256");
  let waiting: Uint8Array[] = [MAGIC];
  let waitingBytes = MAGIC.byteLength;
  let bytes = 0;
  let head: BackupHead | undefined;
  let end: BackupEnd | undefined;
  const flush = async () => {
    for (const chunk of waiting) hash.update(chunk);
    await writing(path, file.writev(waiting));
    bytes += waitingBytes;
    waiting = [];
    waitingBytes = 0;
  };
  for await (const some of records) {
    for (const message of some) {
      if (message.record.case === "head") head = message.record.value;
      if (message.record.case === "end") end = message.record.value;
      const encoded = sizeDelimitedEncode(BackupRecordSchema, message);
      waiting.push(encoded);
      waitingBytes += encoded.byteLength;
      if (waitingBytes > FLUSH_BYTES) await flush();
    }
  }
  if (head === undefined || end === undefined) {
    throw new CliFailure(EXIT.failed, "the plane ended the backup before its end; no file was written");
  }
  if (waiting.length > 0) await flush();
  await writing(path, file.write(hash.digest()));
  return { head, end, bytes: bytes + DIGEST_BYTES };
}

/** Reads all of a backup, to be sure that it is whole before any of it is sent. */
export async function checkBackup(path: string): Promise<BackupSummary> {
  const bytes = await sizeOf(path);
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { end: bytes - DIGEST_BYTES - 1 })) hash.update(chunk as Buffer);
  const trailer: Buffer[] = [];
  for await (const chunk of createReadStream(path, { start: bytes - DIGEST_BYTES })) trailer.push(chunk as Buffer);
  if (!hash.digest().equals(Buffer.concat(trailer))) throw damaged(path, "its checksum is not that of its content");
  let head: BackupHead | undefined;
  let end: BackupEnd | undefined;
  for await (const records of readBackup(path)) {
    for (const { record } of records) {
      if (record.case === "head") head = record.value;
      if (record.case === "end") end = record.value;
    }
  }
  if (head === undefined || end === undefined) throw damaged(path, "it has no head or no end");
  return { head, end, bytes };
}

/** The records of a backup that was checked, some at a time. */
export async function* readBackup(path: string): AsyncGenerator<readonly BackupRecord[]> {
  const range = { start: MAGIC.byteLength, end: (await sizeOf(path)) - DIGEST_BYTES - 1 };
  let some: BackupRecord[] = [];
  let bytes = 0;
  try {
    for await (const message of sizeDelimitedDecodeStream(BackupRecordSchema, createReadStream(path, range))) {
      some.push(message);
      const { record } = message;
      bytes += record.case === "entry" || record.case === "copy" ? record.value.value.byteLength + 100 : 1_000;
      if (bytes < FLUSH_BYTES) continue;
      yield some;
      some = [];
      bytes = 0;
    }
  } catch (error) {
    throw damaged(path, error instanceof Error ? error.message : String(error));
  }
  if (some.length > 0) yield some;
}

async function sizeOf(path: string): Promise<number> {
  const { size } = await reading(path, stat(path));
  const start: Buffer[] = [];
  try {
    for await (const chunk of createReadStream(path, { end: MAGIC.byteLength - 1 })) start.push(chunk as Buffer);
  } catch (error) {
    throw unreadable(path, error);
  }
  const found = Buffer.concat(start);
  if (!found.toString("latin1").startsWith(MAGIC_FAMILY))
    throw new CliFailure(EXIT.failed, `${path}: is no backup of Fairlead`);
  if (size < MAGIC.byteLength + DIGEST_BYTES) throw damaged(path, "it breaks off");
  if (!found.equals(MAGIC)) {
    throw new CliFailure(
      EXIT.failed,
      `${path}: was written by a newer release; restore it with that release's fairlead`,
    );
  }
  return size;
}

function damaged(path: string, why: string): CliFailure {
  return new CliFailure(EXIT.failed, `${path}: is damaged: ${why}\nnothing was changed`);
}

async function reading<T>(path: string, what: Promise<T>): Promise<T> {
  try {
    return await what;
  } catch (error) {
    throw unreadable(path, error);
  }
}

async function writing<T>(path: string, what: Promise<T>): Promise<T> {
  try {
    return await what;
  } catch (error) {
    throw new CliFailure(EXIT.failed, `${path}: cannot be written: ${reasonOf(error)}`, { cause: error });
  }
}

function unreadable(path: string, error: unknown): CliFailure {
  return new CliFailure(EXIT.failed, `${path}: cannot be read: ${reasonOf(error)}`, { cause: error });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
