import { RouteSchema } from "../../gen/fairlead/admin/v1/route_pb.ts";
import { parseRoute } from "../parse-route.ts";
import { kindEntry } from "./kind-entry.ts";

export const ROUTE = kindEntry({
  kind: "route",
  plural: "routes",
  message: RouteSchema,
  outputOnly: ["meta", "conditions"],
  parse: parseRoute,
  isApplied: true,
  hasHistory: true,
  gives: "routes",
  isOnTheWay: true,
});
