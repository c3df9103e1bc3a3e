import type { UnregisterBackendRequest } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import type { WriteResponse } from "../../gen/fairlead/admin/v1/write_pb.ts";
import type { Caller, Context } from "../context.ts";
import { notFound, readName } from "../object-errors.ts";
import { executeBareWrite } from "../writing/execute-write.ts";
import { checkExpectedVersion } from "../writing/expected-version.ts";
import { overlay } from "../writing/overlay-state.ts";
import { planRemoval } from "../writing/plan-removal.ts";
import { othersServe } from "./last-eligible.ts";

/**
 * Removes a backend with its verdicts, at once.
 *
 * @throws ControlPlaneError `notFound`; `conflict` / `VERSION_MISMATCH`; `precondition` / `NO_BACKEND_LEFT` unless allowed.
 */
export async function unregisterBackend(
  context: Context,
  caller: Caller,
  { name: text, expectedVersion, allowRemoval, options }: Omit<UnregisterBackendRequest, "$typeName">,
): Promise<WriteResponse> {
  const name = readName("backend", text);
  const { mirror } = context;
  return await executeBareWrite(context, caller, {
    operation: "unregister-backend",
    options,
    expectedVersion,
    plan: () => {
      checkExpectedVersion(mirror, "backend", name, expectedVersion);
      if (mirror.stored("backend", name) === undefined) throw notFound("backend", name);
      const after = overlay(mirror, [{ kind: "backend", name, object: undefined }]);
      const guard = allowRemoval ? undefined : othersServe(mirror, after, name);
      return { ops: planRemoval(mirror, "backend", name), guard };
    },
  });
}
