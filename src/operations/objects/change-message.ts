import { create } from "@bufbuild/protobuf";
import type { Kind, Name } from "../../domain/name.ts";
import {
  Change_Action as Action,
  type Change,
  ChangeSchema,
  type FieldChange as FieldChangeMessage,
  FieldChangeSchema,
} from "../../gen/fairlead/admin/v1/apply_pb.ts";
import type { FieldChange } from "../../schema/field-changes.ts";

/** What a write does to one object. */
export interface PlannedChange {
  readonly kind: Kind;
  readonly name: Name;
  readonly action: "unchanged" | "create" | "update" | "delete";
  readonly fields: readonly FieldChange[];
}

const ACTION: Readonly<Record<PlannedChange["action"], Action>> = {
  unchanged: Action.UNCHANGED,
  create: Action.CREATE,
  update: Action.UPDATE,
  delete: Action.DELETE,
};

export function changeMessage({ kind, name, action, fields }: PlannedChange): Change {
  return create(ChangeSchema, { kind, name, action: ACTION[action], fields: fields.map(fieldMessage) });
}

/** Changes as they are kept for a retry: objects and actions only. */
export function briefChanges(changes: readonly Change[]): Change[] {
  return changes.filter(({ action }) => action !== Action.UNCHANGED).map(briefChange);
}

/** The change without its fields, which may be long. */
export function briefChange({ kind, name, action }: Change): Change {
  return create(ChangeSchema, { kind, name, action });
}

function fieldMessage({ path, from, to }: FieldChange): FieldChangeMessage {
  return create(FieldChangeSchema, { path, from: json(from), to: json(to) });
}

function json(value: unknown): string {
  return value === undefined ? "" : JSON.stringify(value);
}
