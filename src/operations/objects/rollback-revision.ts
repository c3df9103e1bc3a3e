import { create } from "@bufbuild/protobuf";
import { ControlPlaneError } from "../../domain/errors.ts";
import type { RollbackRevisionRequest } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { type ApplyResponse, ApplyResponseSchema } from "../../gen/fairlead/admin/v1/apply_pb.ts";
import { parseRevision } from "../../store/revision.ts";
import type { Caller, Context } from "../context.ts";
import { badField } from "../object-errors.ts";
import { executeWrite } from "../writing/execute-write.ts";
import type { Stamp } from "../writing/next-meta.ts";
import { overlay } from "../writing/overlay-state.ts";
import { planPut } from "../writing/plan-put.ts";
import { removalOf, withObservations } from "../writing/plan-removal.ts";
import type { StoredState } from "../writing/stored-state.ts";
import { briefChanges, changeMessage } from "./change-message.ts";
import { checkApply, type PlacedPut } from "./check-apply.ts";
import { createdConditions } from "./created-conditions.ts";
import { type ApplyPlan, changeOf, deletion } from "./plan-apply.ts";
import { reachOf } from "./reach.ts";
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
  const revision = parseRevision(text);
  if (revision === undefined) throw badField("revision", `"${text}" is not a revision that a read or a write gave`);
  const { mirror, journal, nodes, pace } = context;
  const proxies = options?.validateOnly === true ? (await nodes.nodes({ detail: "place" })).told : undefined;
  return await executeWrite<ApplyResponse>(context, caller, {
    operation: "rollback-revision",
    options,
    expectedVersion: "",
    plan: async (stamp) => {
      const entry = await journal.findCommit(revision);
      if (entry === undefined) throw commitNotFound(text);
      const { changes, ops, after } = planBack(mirror, await takeBack(context, entry), { stamp, allowRemoval });
      const reach = proxies === undefined ? [] : reachOf(mirror, after, proxies);
      const conditions = await createdConditions(mirror, after, changes, pace);
      const answer = { changes: changes.map(changeMessage), reach, conditions };
      return { ops, response: create(ApplyResponseSchema, answer) };
    },
    responseSchema: ApplyResponseSchema,
    objectOf: () => undefined,
    brief: ({ changes }) => create(ApplyResponseSchema, { changes: briefChanges(changes) }),
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
  const removed = steps.flatMap((step) => {
    return step.to === "nothing" ? withObservations(state, step.id) : [];
  });
  const after = overlay(state, [
    ...puts.map(({ kind, planned }) => ({ kind, name: planned.name, object: planned.object })),
    ...removed.map(({ kind, name }) => ({ kind, name, object: undefined })),
  ]);
  checkApply({ before: state, after, puts, removed, allowRemoval });
  return {
    changes: [...puts.map((put) => changeOf(state, put)), ...removed.flatMap(deletion)],
    ops: [...puts.flatMap(({ planned }) => planned.op ?? []), ...removed.flatMap((id) => removalOf(state, id))],
    after,
  };
}

function commitNotFound(revision: string): ControlPlaneError {
  return new ControlPlaneError({
    kind: "notFound",
    code: "COMMIT_NOT_FOUND",
    message: `the journal has no commit of revision ${revision}; it keeps seven days, and \`fairlead history\` tells revisions`,
    details: { revision },
  });
}
