import { PolicySchema } from "../../gen/fairlead/admin/v1/policy_pb.ts";
import { parsePolicy } from "../parse-policy.ts";
import { kindEntry } from "./kind-entry.ts";

export const POLICY = kindEntry({
  kind: "policy",
  plural: "policies",
  message: PolicySchema,
  outputOnly: ["meta", "conditions"],
  parse: parsePolicy,
  isApplied: true,
  hasHistory: true,
  gives: "clustersOfPolicy",
  isOnTheWay: false,
});
