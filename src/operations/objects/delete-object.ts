import type { ControlPlaneError } from "../../domain/errors.ts";
import { type Name, type ObjectId, storeKey } from "../../domain/name.ts";
import { referrersOf } from "../../domain/references.ts";
import type { DeleteRequest } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import type { WriteResponse } from "../../gen/fairlead/admin/v1/write_pb.ts";
import type { AppliedKind } from "../../schema/kinds/registry.ts";
import type { Caller, Context } from "../context.ts";
import { firstFew } from "../first-few.ts";
import { notFound, precondition, readName } from "../object-errors.ts";
import { executeBareWrite } from "../writing/execute-write.ts";
import { checkExpectedVersion } from "../writing/expected-version.ts";
import { planRemoval } from "../writing/plan-removal.ts";
import { refuseUnread } from "../writing/refuse-unread.ts";

/** How many referring objects an error names. */
const NAMED = 10;

/**
 * Deletes an object, and with a service everything that is stored about its backends.
 *
 * @throws ControlPlaneError `notFound`; `precondition` / `STILL_REFERRED_TO` without `force`.
 */
export async function deleteObject(
  context: Context,
  caller: Caller,
  kind: AppliedKind,
  { name: text, expectedVersion, force, options }: Omit<DeleteRequest, "$typeName">,
): Promise<WriteResponse> {
  const name = readName(kind, text);
  const { mirror } = context;
  return await executeBareWrite(context, caller, {
    operation: `delete-${kind}`,
    options,
    expectedVersion,
    plan: () => {
      checkExpectedVersion(mirror, kind, name, expectedVersion);
      refuseUnread(mirror, storeKey(kind, name));
      if (mirror.stored(kind, name) === undefined) throw notFound(kind, name);
      const referrers = force ? [] : referrersOf(mirror, { kind, name });
      if (referrers.length > 0) throw stillReferredTo(kind, name, referrers, "use force");
      return { ops: planRemoval(mirror, kind, name) };
    },
  });
}

/** @param cure How to delete it nevertheless. */
export function stillReferredTo(
  kind: string,
  name: Name,
  referrers: readonly ObjectId[],
  cure: string,
): ControlPlaneError {
  const named = referrers.map((referrer) => `${referrer.kind} ${referrer.name}`);
  const message = `${kind} ${name} is referred to by ${firstFew(named, NAMED, String, ", ")}; change those first, or ${cure}`;
  return precondition("STILL_REFERRED_TO", message, {
    kind,
    name,
    referrers: named.slice(0, NAMED).join(","),
    count: String(referrers.length),
  });
}
