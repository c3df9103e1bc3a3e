import { create } from "@bufbuild/protobuf";
import { type ApplyRequest, type ApplyResponse, ApplyResponseSchema } from "../../gen/fairlead/admin/v1/apply_pb.ts";
import { formatRevision, type Revision, reached } from "../../store/revision.ts";
import type { Caller, Context } from "../context.ts";
import { badField } from "../object-errors.ts";
import { executeWrite } from "../writing/execute-write.ts";
import type { StoredState } from "../writing/stored-state.ts";
import { briefChanges, changeMessage, type PlannedChange } from "./change-message.ts";
import { createdConditions, createsConditions } from "./created-conditions.ts";
import { planApply } from "./plan-apply.ts";
import { reachOf } from "./reach.ts";

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
  const { mirror, nodes, pace } = context;
  const proxies = options?.validateOnly === true ? (await nodes.nodes({ detail: "place" })).told : undefined;
  return await executeWrite<ApplyResponse>(context, caller, {
    operation: "apply",
    options,
    expectedVersion: "",
    plan: async (stamp) => {
      const { changes, ops, after } = await planApply(mirror, order, stamp, pace);
      const reach = proxies === undefined ? [] : reachOf(mirror, after, proxies);
      const conditions = await createdConditions(mirror, after, changes, pace);
      if (order.strict && conditions.length > 0) throw createsConditions(conditions, changes);
      const presentRevision = ops.length > 0 ? "" : newestRevision(mirror, changes);
      const answer = { changes: changes.map(changeMessage), reach, presentRevision, conditions };
      return { ops, response: create(ApplyResponseSchema, answer) };
    },
    responseSchema: ApplyResponseSchema,
    objectOf: () => undefined,
    brief: ({ changes }) => create(ApplyResponseSchema, { changes: briefChanges(changes) }),
  });
}
/** The newest revision of these objects in the store; empty when none is stored. */
function newestRevision(state: StoredState, objects: readonly Pick<PlannedChange, "kind" | "name">[]): string {
  const revisions = objects.flatMap(({ kind, name }) => state.stored(kind, name)?.revision ?? []);
  const newest = revisions.reduce<Revision | undefined>(
    (a, b) => (a !== undefined && reached(a, b) ? a : b),
    undefined,
  );
  return newest === undefined ? "" : formatRevision(newest);
}
