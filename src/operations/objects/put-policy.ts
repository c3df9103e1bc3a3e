import type { PutPolicyRequest } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import type { Caller, Context } from "../context.ts";
import { badField, readName } from "../object-errors.ts";
import { type WrittenObject, writeObject } from "../writing/write-object.ts";

/** Creates or replaces a policy. @throws ControlPlaneError `conflict` / `VERSION_MISMATCH`. */
export async function putPolicy(
  context: Context,
  caller: Caller,
  { policy, expectedVersion, options }: Omit<PutPolicyRequest, "$typeName">,
): Promise<WrittenObject> {
  if (policy === undefined) throw badField("policy", "must be given");
  return await writeObject(context, caller, {
    operation: "put-policy",
    kind: "policy",
    name: readName("policy", policy.name),
    expectedVersion,
    options,
    put: (before) => ({ message: policy, owner: before?.message.meta?.owner ?? "" }),
  });
}
