import type { FieldMask } from "@bufbuild/protobuf/wkt";
import { mergeMasked } from "../../schema/apply-mask.ts";
import type { AppliedKind, MessageOf } from "../../schema/kinds/registry.ts";
import type { Caller, Context } from "../context.ts";
import { badField, badFields, notFound, readName } from "../object-errors.ts";
import { type Guarded, type WrittenObject, writeObject } from "../writing/write-object.ts";

export interface UpdateObject<K extends AppliedKind> extends Guarded {
  readonly kind: K;
  readonly message: MessageOf[K] | undefined;
  /** Absent or empty: the whole spec is replaced. */
  readonly updateMask?: FieldMask | undefined;
}

/** @throws ControlPlaneError `notFound`; `conflict` / `VERSION_MISMATCH`. */
export async function updateObject<K extends AppliedKind>(
  context: Context,
  caller: Caller,
  { kind, message, updateMask, expectedVersion, options }: UpdateObject<K>,
): Promise<WrittenObject> {
  if (message === undefined) throw badField(kind, "must be given");
  const name = readName(kind, message.name);
  return await writeObject<K>(context, caller, {
    operation: `update-${kind}`,
    kind,
    name,
    expectedVersion,
    options,
    put: (before) => {
      if (before === undefined) throw notFound(kind, name);
      const merged = mergeMasked<K>(kind, before.message, message, updateMask?.paths ?? []);
      if (!merged.ok) throw badFields(merged.violations);
      return { message: merged.message, owner: before.message.meta?.owner ?? "", named: updateMask?.paths ?? [] };
    },
  });
}
