import { create, type DescMessage, fromBinary, type Message, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { ControlPlaneError } from "../domain/errors.ts";
import { type Kind, type Name, parseStoreKey } from "../domain/name.ts";
import type { ObjectOf } from "../domain/state.ts";
import { StoredObjectSchema } from "../gen/fairlead/store/v1/stored_object_pb.ts";
import { formatRevision, type Revision } from "../store/revision.ts";
import type { MessageOf } from "./kinds/registry.ts";
import { cloneMessage, descriptorOf, hasSecrets, shownMessage } from "./object-message.ts";
import { parseInPlace } from "./parse-object.ts";
import { mendTimes } from "./time-fields.ts";
import { unknownContent } from "./unknown-content.ts";

/** The stored form that this release writes, and the newest that it reads. */
export const STORED_SCHEMA = 1;

/** An object with the message it is stored as. Messages are shared: copy one before you change it. */
export interface Stored<K extends Kind = Kind> {
  /** Without secrets. */
  readonly message: MessageOf[K];
  /** With secrets: the base of the next write, which nobody is shown. */
  readonly whole: MessageOf[K];
  readonly object: ObjectOf[K];
  /** The revision of its last write, which guards the next one. */
  readonly revision: Revision;
}

/** An object as it was read from the store; `kind` tells which. */
export type StoredObject = {
  [K in Kind]: Stored<K> & {
    readonly kind: K;
    readonly name: Name;
    /** What a later release wrote into it that this one does not know, in words; usually empty. */
    readonly unknown: readonly string[];
  };
}[Kind];

/** The bytes to store, without what is derived and without the version, which is the revision that the store gives. */
export function encodeStored<K extends Kind>(kind: K, message: MessageOf[K]): Uint8Array {
  const stored = cloneMessage(kind, message) as MessageOf[Kind];
  if (stored.meta !== undefined) stored.meta.version = "";
  if ("conditions" in stored) stored.conditions = [];
  if ("status" in stored && typeof stored.status !== "number") delete stored.status;
  const object = toBinary(descriptorOf(kind), stored);
  return toBinary(StoredObjectSchema, create(StoredObjectSchema, { schema: STORED_SCHEMA, kind, object }));
}

/** What history keeps of an object, where that differs from what is stored. */
export function encodeCopy<K extends Kind>(kind: K, message: MessageOf[K]): { readonly value?: Uint8Array } {
  return hasSecrets(kind) ? { value: encodeStored(kind, shownMessage(kind, message)) } : {};
}

/**
 * Reads what `encodeStored` wrote, with the revision as its version. Fields that this release does not know are kept, and
 * listed in `unknown`.
 *
 * @throws ControlPlaneError `corrupt` / `STORED_OBJECT_CORRUPT`; `precondition` / `WRITTEN_BY_NEWER_RELEASE` where none of
 * it can be used.
 */
export function decodeStored(key: string, bytes: Uint8Array, revision: Revision): StoredObject {
  const place = parseStoreKey(key);
  if (place === undefined) throw corrupt(key, "the key is not an object's");
  const { kind, name } = place;
  const envelope = decode(key, StoredObjectSchema, bytes);
  if (envelope.schema > STORED_SCHEMA) {
    throw writtenByNewer(key, `schema ${envelope.schema}, this one reads up to ${STORED_SCHEMA}`);
  }
  if (envelope.schema === 0) throw corrupt(key, "it has no schema");
  if (envelope.kind !== kind)
    throw corrupt(key, `it holds ${envelope.kind === "" ? "no kind of object" : `a ${envelope.kind}`}`);
  const message = decode(key, descriptorOf(kind), envelope.object) as MessageOf[Kind];
  if (message.meta === undefined) throw corrupt(key, "it has no meta");
  message.meta.version = formatRevision(revision);
  mendTimes(kind, message);
  const unknown = [...unknownOf(StoredObjectSchema, envelope), ...unknownOf(descriptorOf(kind), message)];
  const parsed = parseInPlace(kind, message, "store");
  if (!parsed.ok) {
    if (unknown.length > 0) throw writtenByNewer(key, unknown.join("; "));
    throw corrupt(key, parsed.violations.map(({ field, message }) => `${field}: ${message}`).join("; "));
  }
  if (parsed.object.name !== name) throw corrupt(key, `it holds "${parsed.object.name}"`);
  const { message: whole, object } = parsed;
  return { kind, name, message: shownMessage(kind, whole), whole, object, revision, unknown } as StoredObject;
}

function unknownOf(desc: DescMessage, message: Message): readonly string[] {
  return unknownContent(desc, message).map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
}

function decode<Desc extends DescMessage>(key: string, desc: Desc, bytes: Uint8Array): MessageShape<Desc> {
  try {
    return fromBinary(desc, bytes);
  } catch (cause) {
    throw corrupt(key, "it does not decode", cause);
  }
}

/** @param what The parts that this release does not know. */
function writtenByNewer(key: string, what: string): ControlPlaneError {
  return new ControlPlaneError({
    kind: "precondition",
    code: "WRITTEN_BY_NEWER_RELEASE",
    message: `"${key}" was written by a newer release (${what})`,
    details: { key },
  });
}

function corrupt(key: string, why: string, cause?: unknown): ControlPlaneError {
  return new ControlPlaneError({
    kind: "corrupt",
    code: "STORED_OBJECT_CORRUPT",
    message: `the stored object "${key}" cannot be read: ${why}`,
    details: { key },
    cause,
  });
}
