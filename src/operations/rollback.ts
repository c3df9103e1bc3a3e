import { ControlPlaneError } from "../domain/errors.ts";
import type { Listener } from "../domain/listener.ts";
import type { RollbackRequest } from "../gen/fairlead/admin/v1/admin_pb.ts";
import { cloneMessage } from "../schema/object-message.ts";
import { checkAddressFree } from "./address-in-use.ts";
import type { Caller, Context } from "./context.ts";
import { generationsOf, type KindWithHistory, readKindWithHistory } from "./generations.ts";
import { notFound, readName } from "./object-errors.ts";
import { type WrittenObject, writeObject } from "./write-object.ts";

/**
 * Writes the spec of an earlier generation again, as a new one. Labels and annotations stay as they are now.
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
      if (before === undefined) throw notFound(kind, name);
      if (wanted === undefined)
        throw generationNotFound(
          kind,
          name,
          toGeneration,
          generations.map(({ generation }) => generation),
        );
      const message = cloneMessage(kind, wanted.message);
      message.labels = before.message.labels;
      message.annotations = before.message.annotations;
      return { message, owner: before.message.meta?.owner ?? "" };
    },
    check: ({ object }, state) => {
      if (kind === "listener") checkAddressFree(state, object as Listener);
    },
  });
}

function generationNotFound(kind: string, name: string, wanted: bigint, kept: readonly number[]): ControlPlaneError {
  return new ControlPlaneError({
    kind: "notFound",
    code: "GENERATION_NOT_FOUND",
    message: `generation ${wanted} of ${kind} ${name} is not kept; there are ${kept.join(", ") || "none"}`,
    details: { kind, name, generation: String(wanted), kept: kept.join(",") },
  });
}
