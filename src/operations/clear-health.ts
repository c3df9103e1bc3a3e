import { create } from "@bufbuild/protobuf";
import { storeKey } from "../domain/name.ts";
import type { ClearHealthRequest } from "../gen/fairlead/admin/v1/admin_pb.ts";
import { type WriteResponse, WriteResponseSchema } from "../gen/fairlead/admin/v1/write_pb.ts";
import type { Caller, Context } from "./context.ts";
import { executeWrite } from "./execute-write.ts";
import { notFound } from "./object-errors.ts";
import { verdictName } from "./report-health.ts";

/** Takes back a source's verdict. @throws ControlPlaneError `notFound` / `HEALTH_NOT_FOUND`. */
export async function clearHealth(
  context: Context,
  caller: Caller,
  { backend, source, options }: Omit<ClearHealthRequest, "$typeName">,
): Promise<WriteResponse> {
  const name = verdictName({ backend, source });
  return await executeWrite<WriteResponse>(context, caller, {
    operation: "clear-health",
    options,
    expectedVersion: "",
    plan: () => {
      const stored = context.mirror.stored("health", name);
      if (stored === undefined) throw notFound("health", name);
      return {
        ops: [{ op: "delete", key: storeKey("health", name), guard: stored.revision }],
        response: create(WriteResponseSchema),
      };
    },
    responseSchema: WriteResponseSchema,
    objectOf: () => undefined,
    brief: (response) => response,
  });
}
