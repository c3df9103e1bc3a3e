import { toControlPlaneError } from "../domain/errors.ts";
import { isOfUnknownKind, type Name, OBJECT_KEYS, parseStoreKey } from "../domain/name.ts";
import type { RecordKind, RecordOf } from "../domain/state.ts";
import { decodeStored, type StoredObject } from "../schema/stored-object.ts";
import { checkKey, checkValue } from "../store/batch.ts";
import { readForm } from "../store/keys/record-form.ts";
import { formOf } from "../store/keys/records.ts";
import type { Revision } from "../store/revision.ts";

/** Why a record cannot be read, or not all of it. */
export interface RecordProblem {
  readonly why: string;
  /** Whether a later release wrote it, as far as can be told: what it protects is not known here. */
  readonly isNewer: boolean;
}

/** What a record means to the mirror. */
export type RecordContent =
  | { readonly is: "object"; readonly stored: StoredObject }
  | { readonly is: "record"; readonly kind: RecordKind; readonly name: Name; readonly record: RecordOf[RecordKind] }
  /** A record that others read. */
  | { readonly is: "other" };

export interface ReadRecord {
  /** Undefined if none of it can be used. */
  readonly content: RecordContent | undefined;
  readonly problem: RecordProblem | undefined;
}

/** Reads what is stored under a key. Never throws: what cannot be read is reported, and harms nothing else (law 9). */
export function readRecord(key: string, value: Uint8Array, revision: Revision): ReadRecord {
  try {
    checkKey(key);
    checkValue(key, value);
    return key.startsWith(OBJECT_KEYS) ? readObject(key, value, revision) : readOther(key, value);
  } catch (thrown) {
    const { code, message } = toControlPlaneError(thrown);
    return unread(message, code === "WRITTEN_BY_NEWER_RELEASE");
  }
}

function readObject(key: string, value: Uint8Array, revision: Revision): ReadRecord {
  if (parseStoreKey(key) === undefined) {
    if (isOfUnknownKind(key)) return unread("this release does not know objects of its kind", true);
    return unread("its key is not that of an object", false);
  }
  const stored = decodeStored(key, value, revision);
  const content = { is: "object", stored } as const;
  if (stored.unknown.length === 0) return { content, problem: undefined };
  return { content, problem: { why: `a newer release wrote it: ${stored.unknown.join("; ")}`, isNewer: true } };
}

function readOther(key: string, value: Uint8Array): ReadRecord {
  const found = formOf(key);
  if (found === undefined) return unread("this release does not know records of its kind", true);
  const { kind, form } = found;
  const name = form.nameOf(key);
  const record = name === undefined ? undefined : readForm(form, value);
  if (name === undefined || record === undefined) return unread(`it is not a valid ${form.what}`, false);
  if (kind === undefined) return { content: { is: "other" }, problem: undefined };
  return { content: { is: "record", kind, name, record: record as RecordOf[RecordKind] }, problem: undefined };
}

function unread(why: string, isNewer: boolean): ReadRecord {
  return { content: undefined, problem: { why, isNewer } };
}
