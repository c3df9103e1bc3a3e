import { clearField } from "@bufbuild/protobuf";
import { ControlPlaneError } from "../../domain/errors.ts";
import { type Kind, type Name, storeKey } from "../../domain/name.ts";
import type { ObjectOf } from "../../domain/state.ts";
import type { Meta } from "../../gen/fairlead/admin/v1/meta_pb.ts";
import { changesSpec, type FieldChange, fieldChanges } from "../../schema/field-changes.ts";
import { readMeta } from "../../schema/field-checks.ts";
import { ENTRIES, hasHistory, isApplied, type MessageOf } from "../../schema/kinds/registry.ts";
import { cloneMessage, descriptorOf, hasSecrets, outputOnly, shownMessage } from "../../schema/object-message.ts";
import { parseInPlace } from "../../schema/parse-object.ts";
import { keepSecrets } from "../../schema/secrets.ts";
import { encodeCopy, encodeStored, type Stored } from "../../schema/stored-object.ts";
import { unknownContent } from "../../schema/unknown-content.ts";
import type { StoreOp } from "../../store/state-store.ts";
import { badFields } from "../object-errors.ts";
import { nextMeta, type Stamp } from "./next-meta.ts";

/** How many generations of a configuration object are kept. */
export const HISTORY_KEEP = 20;

export interface Put<K extends Kind> {
  readonly kind: K;
  /** What the client gave; output-only fields in it are ignored. */
  readonly message: MessageOf[K];
  readonly before: Stored<K> | undefined;
  /** The last envelope of a deleted object that this one revives: its uid, age and generations go on. */
  readonly revived?: Meta;
  /** The apply set it belongs to from now on. */
  readonly owner: string;
  /** Fields that the client named, whether or not it gave them a value. */
  readonly named?: readonly string[];
  /** Writes the output-only fields that are the plane's to decide; returns whether that changes what is stored. */
  readonly decide?: (draft: MessageOf[K]) => boolean;
  /** The prefix of a field's path in errors: `objects[3].`. */
  readonly fieldPrefix?: string | undefined;
}

export interface PlannedPut<K extends Kind> {
  readonly name: Name;
  /** As it will be stored, without secrets. */
  readonly message: MessageOf[K];
  readonly object: ObjectOf[K];
  /** What it changes in an object that existed. */
  readonly fields: readonly FieldChange[];
  /** Undefined when this is already stored. */
  readonly op: StoreOp | undefined;
}

/** A copy of a client's message without the fields that a client cannot write. */
function clientPart<K extends Kind>(kind: K, message: MessageOf[K]): MessageOf[K] {
  const own = cloneMessage(kind, message);
  for (const name of outputOnly(kind)) {
    const field = descriptorOf(kind).field[name];
    if (field !== undefined) clearField(own, field);
  }
  return own;
}

/**
 * Decides what writing an object means: what it changes, its next envelope, the operation on the store.
 *
 * @throws ControlPlaneError `invalid` / `INVALID_FIELD` with every bad field.
 */
export function planPut<K extends Kind>(put: Put<K>, stamp: Stamp): PlannedPut<K> {
  const { kind, before, owner } = put;
  const draft = clientPart(kind, put.message);
  ENTRIES[kind].settle?.(draft, before?.message, stamp, put.named ?? []);
  if (before !== undefined && hasSecrets(kind)) keepSecrets(descriptorOf(kind), draft, before.whole, put.named);
  const decided = put.decide?.(draft) ?? false;
  const parsed = parseInPlace(kind, draft);
  if (!parsed.ok) {
    const prefix = put.fieldPrefix ?? "";
    throw badFields(parsed.violations.map(({ field, message }) => ({ field: `${prefix}${field}`, message })));
  }
  const { message } = parsed;
  const name = parsed.object.name;
  // Each observation is a new one, and holds nothing of the one before.
  if (before !== undefined && isApplied(kind)) refuseLoss(kind, name, before.whole, message);
  const fields = before === undefined ? [] : fieldChanges(kind, before.whole, message);
  const ownerChanged = before !== undefined && (before.message.meta?.owner ?? "") !== owner;
  if (before !== undefined && fields.length === 0 && !ownerChanged && !decided) {
    return { name, message: before.message, object: before.object, fields, op: undefined };
  }
  const specChanged = before === undefined || decided || changesSpec(fields);
  message.meta = nextMeta(before?.message.meta ?? put.revived, stamp, { specChanged, owner });
  const { labels, annotations } = parsed.object.meta;
  return {
    name,
    message: shownMessage(kind, message),
    object: { ...parsed.object, meta: readMeta(message.meta, labels, annotations) },
    fields: ownerChanged ? [...fields, ownerChange(before.message.meta?.owner ?? "", owner)] : fields,
    op: {
      op: "put",
      key: storeKey(kind, name),
      value: encodeStored(kind, message),
      guard: before?.revision ?? "absent",
      ...(specChanged && hasHistory(kind)
        ? { history: { generation: Number(message.meta.generation), keep: HISTORY_KEEP, ...encodeCopy(kind, message) } }
        : {}),
    },
  };
}

/** What a later release wrote into an object may protect it: a write that would lose it is left to that release. */
function refuseLoss<K extends Kind>(kind: K, name: Name, before: MessageOf[K], after: MessageOf[K]): void {
  const kept = new Set(unknownContent(descriptorOf(kind), after).map(({ path, message }) => `${path} ${message}`));
  const lost = unknownContent(descriptorOf(kind), before).find(({ path, message }) => !kept.has(`${path} ${message}`));
  if (lost === undefined) return;
  throw new ControlPlaneError({
    kind: "precondition",
    code: "WRITTEN_BY_NEWER_RELEASE",
    message: `${kind} ${name} contains what only a newer release knows (${lost.path === "" ? "" : `${lost.path}: `}${lost.message}), and this write would lose it; use that release, or change single fields`,
    details: { kind, name },
  });
}

function ownerChange(from: string, to: string): FieldChange {
  return { path: "meta.owner", from, to };
}
