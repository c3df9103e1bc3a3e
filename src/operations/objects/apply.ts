import type { ApplyRequest, ApplyResponse } from "../../gen/fairlead/admin/v1/apply_pb.ts";
import { formatRevision, newestOf } from "../../store/revision.ts";
import type { Caller, Context } from "../context.ts";
import { badField } from "../object-errors.ts";
import { executeApply } from "./execute-apply.ts";
import { planApply } from "./plan-apply.ts";

const MAX_OWNER_LENGTH = 128;

/**
 * Gives many objects the content that is ordered: all of them or none. An object that has it already is not written again.
 * With `validate_only`, reports what would change and what the fleets would be sent.
 *
 * @throws ControlPlaneError as `planApply` does; `precondition` / `CREATES_CONDITIONS` with `strict`.
 */
export async function apply(
  context: Context,
  caller: Caller,
  { options, ...order }: Omit<ApplyRequest, "$typeName">,
): Promise<ApplyResponse> {
  if (order.owner.length > MAX_OWNER_LENGTH)
    throw badField("owner", `must have at most ${MAX_OWNER_LENGTH} characters`);
  return await executeApply(context, caller, {
    operation: "apply",
    options,
    strict: order.strict,
    plan: (stamp) => planApply(context.mirror, order, stamp, context.pace),
    presentRevision: ({ changes }) => {
      const newest = newestOf(changes.flatMap(({ kind, name }) => context.mirror.stored(kind, name)?.revision ?? []));
      return newest === undefined ? "" : formatRevision(newest);
    },
  });
}
