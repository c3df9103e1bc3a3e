import { create } from "@bufbuild/protobuf";
import type { Name } from "../../domain/name.ts";
import type { State } from "../../domain/state.ts";
import { type RollbackResponse, RollbackResponseSchema } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import type { WriteOptions } from "../../gen/fairlead/admin/v1/write_pb.ts";
import { type AppliedKind, ENTRIES, type MessageOf } from "../../schema/kinds/registry.ts";
import { descriptorOf } from "../../schema/object-message.ts";
import type { Stored } from "../../schema/stored-object.ts";
import { formatRevision } from "../../store/revision.ts";
import type { BatchGuard } from "../../store/state-store.ts";
import type { Caller, Context } from "../context.ts";
import { anyObject } from "../objects/any-object.ts";
import { briefChange, changeMessage } from "../objects/change-message.ts";
import { executeWrite } from "./execute-write.ts";
import { checkExpectedVersion } from "./expected-version.ts";
import type { Stamp } from "./next-meta.ts";
import { overlay } from "./overlay-state.ts";
import { type PlannedPut, type Put, planPut } from "./plan-put.ts";
import type { StoredState } from "./stored-state.ts";

/** The object as it was written, and the write's place in the log. `RollbackResponse` is its shape for any kind. */
export type WrittenObject = RollbackResponse;

/** What every write of one object may carry. */
export interface Guarded {
  readonly expectedVersion: string;
  readonly options?: WriteOptions | undefined;
}

export interface ObjectWrite<K extends AppliedKind> extends Guarded {
  readonly operation: string;
  readonly kind: K;
  readonly name: Name;
  /** Decides what to write, from the object as it is stored now. */
  readonly put: (before: Stored<K> | undefined, state: State) => Omit<Put<K>, "kind" | "before">;
  /** Refuses what the state forbids, and returns what else the write rests on. */
  readonly restOn?: (planned: PlannedPut<K>, state: StoredState) => BatchGuard | undefined;
}

/** Writes one object, whatever the verb. When nothing changes, nothing is written, and the answer is the last write's. */
export function writeObject<K extends AppliedKind>(
  context: Context,
  caller: Caller,
  write: ObjectWrite<K>,
): Promise<WrittenObject> {
  const { mirror } = context;
  const { kind, name, expectedVersion } = write;
  const plan = (stamp: Stamp) => {
    checkExpectedVersion(mirror, kind, name, expectedVersion);
    const before = mirror.stored(kind, name);
    const planned = planPut({ kind, before, ...write.put(before, mirror) }, stamp);
    const { object } = planned;
    ENTRIES[kind].check?.({
      before: mirror,
      after: overlay(mirror, [{ kind, name, object }]),
      puts: [{ object, place: "" }],
    });
    const guard = write.restOn?.(planned, mirror);
    const { op, fields, message } = planned;
    const action = op === undefined ? "unchanged" : before === undefined ? "create" : "update";
    const change = changeMessage({ kind, name, action, fields });
    if (op !== undefined) return { ops: [op], guard, response: written(kind, message, { change }) };
    const revision = before === undefined ? "" : formatRevision(before.revision);
    return { ops: [], response: written(kind, message, { change, revision }) };
  };
  return executeWrite<WrittenObject>(context, caller, {
    operation: write.operation,
    options: write.options,
    expectedVersion,
    plan,
    responseSchema: RollbackResponseSchema,
    objectOf: ({ object }) => object?.object.value,
    brief: ({ object, change }) =>
      written(kind, nameAndMeta(kind, object?.object.value as MessageOf[K]), change && { change: briefChange(change) }),
  });
}

function written<K extends AppliedKind>(
  kind: K,
  message: MessageOf[K],
  more: Partial<Pick<WrittenObject, "change" | "revision">> = {},
): WrittenObject {
  return create(RollbackResponseSchema, { object: anyObject(kind, message), ...more });
}

function nameAndMeta<K extends AppliedKind>(kind: K, { name, meta }: MessageOf[K]): MessageOf[K] {
  return create(descriptorOf(kind), { name, meta }) as MessageOf[K];
}
