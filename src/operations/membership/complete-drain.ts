import type { CompleteDrainRequest } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import type { WriteResponse } from "../../gen/fairlead/admin/v1/write_pb.ts";
import type { Caller, Context } from "../context.ts";
import { notFound, precondition, readName } from "../object-errors.ts";
import { executeBareWrite } from "../writing/execute-write.ts";
import { checkExpectedVersion } from "../writing/expected-version.ts";
import { planRemoval } from "../writing/plan-removal.ts";

/**
 * Removes a draining backend without waiting for its drain time.
 *
 * @throws ControlPlaneError `notFound`; `precondition` / `BACKEND_NOT_DRAINING`; `conflict` / `VERSION_MISMATCH`.
 */
export async function completeDrain(
  context: Context,
  caller: Caller,
  { name: text, expectedVersion, options }: Omit<CompleteDrainRequest, "$typeName">,
): Promise<WriteResponse> {
  const name = readName("backend", text);
  const { mirror } = context;
  return await executeBareWrite(context, caller, {
    operation: "complete-drain",
    options,
    expectedVersion,
    plan: () => {
      checkExpectedVersion(mirror, "backend", name, expectedVersion);
      const backend = mirror.get("backend", name);
      if (backend === undefined) throw notFound("backend", name);
      if (backend.state !== "DRAINING") {
        const message = `backend ${name} is not draining; drain it first, or unregister it`;
        throw precondition("BACKEND_NOT_DRAINING", message, { name });
      }
      return { ops: planRemoval(mirror, "backend", name) };
    },
  });
}
