import { create } from "@bufbuild/protobuf";
import {
  Change_Action as Action,
  type ApplyRequest,
  type ApplyResponse,
  ApplyResponseSchema,
  type Change,
  ChangeSchema,
} from "../gen/fairlead/admin/v1/apply_pb.ts";
import type { Caller, Context } from "./context.ts";
import { createdConditions, createsConditions } from "./created-conditions.ts";
import { executeWrite } from "./execute-write.ts";
import { badField } from "./object-errors.ts";
import { type PlannedChange, planApply } from "./plan-apply.ts";
import { reachOf } from "./reach.ts";

const MAX_OWNER_LENGTH = 128;

const ACTION: Readonly<Record<PlannedChange["action"], Action>> = {
  unchanged: Action.UNCHANGED,
  create: Action.CREATE,
  update: Action.UPDATE,
  delete: Action.DELETE,
};

/**
 * Makes many objects be as given: all of them or none. What is as given already is not written again. With
 * `validate_only`, tells what would change and what the fleets would be sent.
 *
 * @throws ControlPlaneError as `planApply`; `precondition` / `CREATES_CONDITIONS` with `strict`.
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
      return { ops, response: create(ApplyResponseSchema, { changes: changes.map(changeMessage), reach, conditions }) };
    },
    responseSchema: ApplyResponseSchema,
    objectOf: () => undefined,
    brief: ({ changes }) =>
      create(ApplyResponseSchema, {
        changes: changes
          .filter(({ action }) => action !== Action.UNCHANGED)
          .map(({ kind, name, action }) => create(ChangeSchema, { kind, name, action })),
      }),
  });
}

function changeMessage({ kind, name, action, fields }: PlannedChange): Change {
  return create(ChangeSchema, {
    kind,
    name,
    action: ACTION[action],
    fields: fields.map(({ path, from, to }) => ({ path, from: json(from), to: json(to) })),
  });
}

function json(value: unknown): string {
  return value === undefined ? "" : JSON.stringify(value);
}
