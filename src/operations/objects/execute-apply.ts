import { create } from "@bufbuild/protobuf";
import { type ApplyResponse, ApplyResponseSchema } from "../../gen/fairlead/admin/v1/apply_pb.ts";
import type { Caller, Context } from "../context.ts";
import { executeWrite } from "../writing/execute-write.ts";
import type { Stamp } from "../writing/next-meta.ts";
import type { WriteUseCase } from "../writing/write-use-case.ts";
import { briefChanges, changeMessage } from "./change-message.ts";
import { createdConditions, createsConditions } from "./created-conditions.ts";
import type { ApplyPlan } from "./plan-apply.ts";
import { reachOf } from "./reach.ts";

export interface ManyObjectsWrite extends Pick<WriteUseCase<ApplyResponse>, "operation" | "options"> {
  /** Refuses what would leave something wrong with an object that was not wrong before. */
  readonly strict?: boolean;
  readonly plan: (stamp: Stamp) => Promise<ApplyPlan>;
  /** The newest revision of the objects, for an answer that nothing has changed. */
  readonly presentRevision?: (plan: ApplyPlan) => string;
}

/** Writes many objects, all of them or none. With `validate_only`, reports what would change and what the fleets would be sent. */
export async function executeApply(
  context: Context,
  caller: Caller,
  { operation, options, strict = false, ...write }: ManyObjectsWrite,
): Promise<ApplyResponse> {
  const { mirror, nodes, pace } = context;
  const proxies = options?.validateOnly === true ? (await nodes.nodes({ detail: "place" })).told : undefined;
  return await executeWrite<ApplyResponse>(context, caller, {
    operation,
    options,
    expectedVersion: "",
    plan: async (stamp) => {
      const plan = await write.plan(stamp);
      const { changes, ops, after } = plan;
      const reach = proxies === undefined ? [] : reachOf(mirror, after, proxies);
      const conditions = await createdConditions(context, after, changes, pace);
      if (strict && conditions.length > 0) throw createsConditions(conditions, changes);
      const presentRevision = ops.length > 0 ? "" : (write.presentRevision?.(plan) ?? "");
      const answer = { changes: changes.map(changeMessage), reach, presentRevision, conditions };
      return { ops, response: create(ApplyResponseSchema, answer) };
    },
    responseSchema: ApplyResponseSchema,
    brief: ({ changes }) => create(ApplyResponseSchema, { changes: briefChanges(changes) }),
  });
}
