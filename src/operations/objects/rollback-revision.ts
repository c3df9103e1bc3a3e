import { ControlPlaneError } from "../../domain/errors.ts";
import type { RollbackRevisionRequest } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import type { ApplyResponse } from "../../gen/fairlead/admin/v1/apply_pb.ts";
import type { Caller, Context } from "../context.ts";
import { badField, readRevision } from "../object-errors.ts";
import type { Stamp } from "../writing/next-meta.ts";
import { planPut } from "../writing/plan-put.ts";
import { withObservations } from "../writing/plan-removal.ts";
import type { StoredState } from "../writing/stored-state.ts";
import type { PlacedPut } from "./check-apply.ts";
import { executeApply } from "./execute-apply.ts";
import { type ApplyPlan, planChange } from "./plan-apply.ts";
import { earlierContent } from "./rollback.ts";
import { type TakenBack, takeBack } from "./take-back.ts";

/**
 * Takes back one commit: its objects become what they were before it, in one commit, or nothing is changed.
 *
 * @throws ControlPlaneError `notFound` / `COMMIT_NOT_FOUND`; see `takeBack` and `checkApply` for what is refused.
 */
export async function rollbackRevision(
  context: Context,
  caller: Caller,
  { revision: text, allowRemoval, options }: Omit<RollbackRevisionRequest, "$typeName">,
): Promise<ApplyResponse> {
  const revision = readRevision("revision", text);
  if (revision === undefined) throw badField("revision", "must be given");
  return await executeApply(context, caller, {
    operation: "rollback-revision",
    options,
    plan: async (stamp) => {
      const entry = await context.journal.findCommit(revision);
      if (entry === undefined) throw commitNotFound(text);
      return planBack(context.mirror, await takeBack(context, entry), { stamp, allowRemoval });
    },
  });
}

function planBack(
  state: StoredState,
  steps: readonly TakenBack[],
  { stamp, allowRemoval }: { readonly stamp: Stamp; readonly allowRemoval: boolean },
): ApplyPlan {
  const puts = steps.flatMap((step): PlacedPut[] => {
    if (step.to === "nothing") return [];
    const { kind, name, copy } = step;
    const before = state.stored(kind, name);
    return [{ kind, planned: planPut({ kind, before, ...earlierContent(kind, copy, before) }, stamp), place: "" }];
  });
  // A service that is removed takes nothing with it that came later: that counts as referring to it.
  const removed = steps.flatMap((step) => (step.to === "nothing" ? withObservations(state, step.id) : []));
  return planChange(state, { puts, removed, allowRemoval });
}

function commitNotFound(revision: string): ControlPlaneError {
  return new ControlPlaneError({
    kind: "notFound",
    code: "COMMIT_NOT_FOUND",
    message: `the journal has no commit with revision ${revision}; it keeps the commits of seven days, and \`fairlead history\` lists revisions`,
    details: { revision },
  });
}
