import type { Violation } from "../../domain/errors.ts";
import { MAX_UID_LENGTH } from "../../domain/limits.ts";
import { formatName, type Kind, type Name, parseName, storeKey } from "../../domain/name.ts";
import type { ObjectOf } from "../../domain/state.ts";
import type { ImportedObject } from "../../gen/fairlead/admin/v1/archive_pb.ts";
import type { Meta } from "../../gen/fairlead/admin/v1/meta_pb.ts";
import { changesSpec, type FieldChange, fieldChanges } from "../../schema/field-changes.ts";
import { ENTRIES, hasHistory, type MessageOf } from "../../schema/kinds/registry.ts";
import { cloneMessage, descriptorOf, hasSecrets } from "../../schema/object-message.ts";
import { parseInPlace } from "../../schema/parse-object.ts";
import { keepSecrets } from "../../schema/secrets.ts";
import { encodeCopy, encodeStored, type Stored } from "../../schema/stored-object.ts";
import { nextMeta, type Stamp } from "../writing/next-meta.ts";
import type { StoredState } from "../writing/stored-state.ts";

/** An object of an import, checked; nothing is decided yet. */
export interface GivenObject<K extends Kind = Kind> {
  readonly kind: K;
  readonly name: Name;
  readonly key: string;
  readonly message: MessageOf[K];
  readonly object: ObjectOf[K];
}

export type ReadObject =
  | { readonly ok: true; readonly given: GivenObject }
  | { readonly ok: false; readonly violations: readonly Violation[] };

/**
 * Reads one object of an import: a file has no secrets, so an object that goes on keeps those that are stored.
 *
 * @param place The prefix of a field's path in errors: `objects[3].`.
 */
export function readGiven(state: Pick<StoredState, "stored">, { object }: ImportedObject, place: string): ReadObject {
  const { case: kind, value: given } = object.case === "any" ? object.value.object : object;
  if (kind === undefined || given === undefined) {
    return { ok: false, violations: [{ field: place.slice(0, -1), message: "contains no object" }] };
  }
  const message = cloneMessage(kind, given);
  const named = "name" in message ? parseName(kind, message.name) : undefined;
  const before = named?.ok ? state.stored(kind, formatName(kind, named.parts)) : undefined;
  if (hasSecrets(kind) && goesOn(message.meta, before)) keepSecrets(descriptorOf(kind), message, before.whole);
  const parsed = parseInPlace(kind, message);
  const violations = [...(parsed.ok ? [] : parsed.violations), ...metaViolations(message.meta)];
  if (!parsed.ok || violations.length > 0) {
    return { ok: false, violations: violations.map((one) => ({ ...one, field: `${place}${one.field}` })) };
  }
  const { name } = parsed.object;
  return { ok: true, given: { kind, name, key: storeKey(kind, name), message, object: parsed.object } };
}

function metaViolations(meta: Meta | undefined): Violation[] {
  if (meta === undefined) return [];
  const violations: Violation[] = [];
  if (meta.uid.length > MAX_UID_LENGTH) {
    violations.push({ field: "meta.uid", message: `must have at most ${MAX_UID_LENGTH} characters` });
  }
  if (meta.generation < 0n || meta.generation > BigInt(Number.MAX_SAFE_INTEGER)) {
    violations.push({ field: "meta.generation", message: "must be a positive whole number" });
  }
  return violations;
}

export interface PlannedImport {
  readonly kind: Kind;
  readonly name: Name;
  readonly key: string;
  /** To be stored. */
  readonly value: Uint8Array;
  readonly action: "unchanged" | "create" | "update";
  readonly fields: readonly FieldChange[];
  /** The history copy to keep of it, if any. */
  readonly copy: { readonly generation: number; readonly value: Uint8Array } | undefined;
}

/**
 * Decides what is stored of an imported object. An object that exists with the same uid goes on: its generation grows when
 * its content changes, whatever the file says. One with another uid replaces the object that exists.
 */
export function planImported<K extends Kind>(
  { kind, name, key, message }: GivenObject<K>,
  before: Stored<K> | undefined,
  stamp: Stamp,
): PlannedImport {
  const given = message.meta;
  const there = before?.message.meta;
  const goingOn = goesOn(given, before) ? before : undefined;
  ENTRIES[kind].settleImported?.(message, goingOn?.message, stamp);
  const owner = given?.owner ?? there?.owner ?? "";
  if (goingOn !== undefined && there !== undefined) {
    message.meta = { ...there, owner };
    const value = encodeStored(kind, message);
    if (equal(value, encodeStored(kind, goingOn.whole))) {
      return { kind, name, key, value, action: "unchanged", fields: [], copy: undefined };
    }
    const fields = fieldChanges(kind, goingOn.whole, message);
    const specChanged = changesSpec(fields);
    message.meta = nextMeta(there, stamp, { specChanged, owner });
    if (specChanged && given !== undefined && given.generation > message.meta.generation) {
      message.meta.generation = given.generation;
    }
    const isNew = message.meta.generation !== there.generation;
    return { ...stored(kind, name, key, message, isNew), action: "update", fields };
  }
  const fresh = nextMeta(undefined, stamp, { specChanged: true, owner });
  if (given !== undefined) {
    fresh.uid = given.uid || fresh.uid;
    fresh.generation = given.generation || 1n;
    if (given.createTime !== undefined) fresh.createTime = given.createTime;
    if (given.updateTime !== undefined) fresh.updateTime = given.updateTime;
  }
  message.meta = fresh;
  const fields = before === undefined ? [] : fieldChanges(kind, before.whole, message);
  return { ...stored(kind, name, key, message, true), action: before === undefined ? "create" : "update", fields };
}

/** Whether an object of a file is the one that exists, by its uid. */
function goesOn<K extends Kind>(given: Meta | undefined, before: Stored<K> | undefined): before is Stored<K> {
  const uid = given?.uid ?? "";
  return before !== undefined && (uid === "" || uid === before.object.meta.uid);
}

function stored<K extends Kind>(kind: K, name: Name, key: string, message: MessageOf[K], isNew: boolean) {
  const value = encodeStored(kind, message);
  const generation = Number(message.meta?.generation);
  const copy = isNew && hasHistory(kind) ? { generation, value, ...encodeCopy(kind, message) } : undefined;
  return { kind, name, key, value, copy };
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
