import { ControlPlaneError } from "../../domain/errors.ts";
import type { Name } from "../../domain/name.ts";
import type { AppliedKind } from "../../schema/kinds/registry.ts";
import type { Caller, Context } from "../context.ts";
import { badField, readName } from "../object-errors.ts";
import { type WrittenObject, writeObject } from "../writing/write-object.ts";
import type { UpdateObject } from "./update-object.ts";

/** @throws ControlPlaneError `exists` / `ALREADY_EXISTS` when the name is taken. */
export async function createObject<K extends AppliedKind>(
  context: Context,
  caller: Caller,
  { kind, message, options }: Pick<UpdateObject<K>, "kind" | "message" | "options">,
): Promise<WrittenObject> {
  if (message === undefined) throw badField(kind, "must be given");
  const name = readName(kind, message.name);
  return await writeObject<K>(context, caller, {
    operation: `create-${kind}`,
    kind,
    name,
    expectedVersion: "",
    options,
    put: (before) => {
      if (before !== undefined) throw alreadyExists(kind, name);
      return { message, owner: "" };
    },
  });
}

function alreadyExists(kind: AppliedKind, name: Name): ControlPlaneError {
  return new ControlPlaneError({
    kind: "exists",
    code: "ALREADY_EXISTS",
    message: `${kind} ${name} already exists; update it, or choose another name`,
    details: { kind, name },
  });
}
