import { HealthSchema } from "../../gen/fairlead/admin/v1/backend_pb.ts";
import { parseHealth } from "../parse-health.ts";
import { kindEntry } from "./kind-entry.ts";

export const HEALTH = kindEntry({
  kind: "health",
  plural: "health",
  message: HealthSchema,
  outputOnly: ["meta", "actor", "observer", "fence", "inARow", "lastGoodTime", "damping", "statusTime"],
  parse: parseHealth,
  isApplied: false,
  hasHistory: false,
  gives: "endpoints",
  isOnTheWay: false,
  isImported: ({ source }) => source === "override",
});
