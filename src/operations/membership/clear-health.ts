import { backendOf, storeKey } from "../../domain/name.ts";
import type { ClearHealthRequest } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import type { WriteResponse } from "../../gen/fairlead/admin/v1/write_pb.ts";
import type { Caller, Context } from "../context.ts";
import { notFound } from "../object-errors.ts";
import { executeBareWrite } from "../writing/execute-write.ts";
import { overlay } from "../writing/overlay-state.ts";
import { othersServe } from "./last-eligible.ts";
import { verdictName } from "./report-health.ts";

/**
 * Withdraws a source's verdict, even one that alone keeps a backend in rotation.
 *
 * @throws ControlPlaneError `notFound` / `HEALTH_NOT_FOUND`; `precondition` / `NO_BACKEND_LEFT` unless allowed.
 */
export async function clearHealth(
  context: Context,
  caller: Caller,
  { backend, source, allowRemoval, options }: Omit<ClearHealthRequest, "$typeName">,
): Promise<WriteResponse> {
  const name = verdictName({ backend, source });
  return await executeBareWrite(context, caller, {
    operation: "clear-health",
    options,
    expectedVersion: "",
    plan: () => {
      const stored = context.mirror.stored("health", name);
      if (stored === undefined) throw notFound("health", name);
      const after = overlay(context.mirror, [{ kind: "health", name, object: undefined }]);
      return {
        guard: allowRemoval ? undefined : othersServe(context.mirror, after, backendOf(name)),
        ops: [{ op: "delete", key: storeKey("health", name), guard: stored.revision }],
      };
    },
  });
}
