import { ControlPlaneError } from "../../domain/errors.ts";
import type { RollbackRequest } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import type { KindWithHistory } from "../../schema/kinds/registry.ts";
import { cloneMessage } from "../../schema/object-message.ts";
import type { Stored } from "../../schema/stored-object.ts";
import type { Caller, Context } from "../context.ts";
import { notFound, readName } from "../object-errors.ts";
import type { Put } from "../writing/plan-put.ts";
import { type WrittenObject, writeObject } from "../writing/write-object.ts";
import { type Generation, generationsOf, readKindWithHistory } from "./generations.ts";

/**
 * Writes the spec of an earlier generation again, as a new one. Labels and annotations stay as they are now. An object that
 * was deleted exists again.
 *
 * @throws ControlPlaneError `notFound` / `GENERATION_NOT_FOUND` when that generation is not kept.
 */
export async function rollback(
  context: Context,
  caller: Caller,
  { kind: kindText, name: nameText, toGeneration, expectedVersion, options }: Omit<RollbackRequest, "$typeName">,
): Promise<WrittenObject> {
  const kind = readKindWithHistory(kindText);
  const name = readName(kind, nameText);
  const generations = await generationsOf(context, kind, name);
  const wanted = generations.find(({ generation }) => BigInt(generation) === toGeneration);
  return await writeObject<KindWithHistory>(context, caller, {
    operation: "rollback",
    kind,
    name,
    expectedVersion,
    options,
    put: (before) => {
      if (generations.length === 0) throw notFound(kind, name);
      if (wanted === undefined) throw generationNotFound(kind, name, toGeneration, generations);
      return earlierContent(kind, wanted, before, generations[0]);
    },
  });
}

/**
 * What to write so that an object becomes what it was. One that exists keeps its labels; one that was deleted comes back as
 * itself: its generations go on.
 *
 * @param last The newest generation of one that was deleted, if it is not the wanted one.
 */
export function earlierContent<K extends KindWithHistory>(
  kind: K,
  wanted: Generation<K>,
  before: Stored<K> | undefined,
  last: Generation<K> = wanted,
): Omit<Put<K>, "kind" | "before"> {
  const message = cloneMessage(kind, wanted.message);
  if (before === undefined) {
    const { meta } = last.message;
    return { message, owner: meta?.owner ?? "", ...(meta !== undefined && { revived: meta }) };
  }
  message.labels = before.message.labels;
  message.annotations = before.message.annotations;
  return { message, owner: before.message.meta?.owner ?? "" };
}

function generationNotFound(kind: string, name: string, wanted: bigint, generations: readonly Generation[]) {
  const kept = generations.map(({ generation }) => generation);
  return new ControlPlaneError({
    kind: "notFound",
    code: "GENERATION_NOT_FOUND",
    message: `generation ${wanted} of ${kind} ${name} is not kept; the kept ones are ${kept.join(", ")}`,
    details: { kind, name, generation: String(wanted), kept: kept.join(",") },
  });
}
