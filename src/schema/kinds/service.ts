import { type Service, ServiceSchema } from "../../gen/fairlead/admin/v1/service_pb.ts";
import { instantOfMs } from "../../runtime/instant.ts";
import { parseService } from "../parse-service.ts";
import { kindEntry } from "./kind-entry.ts";

export const SERVICE = kindEntry({
  kind: "service",
  plural: "services",
  message: ServiceSchema,
  outputOnly: ["meta", "conditions", "status", "checkStartTime"],
  parse: parseService,
  isApplied: true,
  hasHistory: true,
  gives: "cluster",
  isOnTheWay: false,
  settle: (draft, before, { now }) => keepCheckStart(draft, before, now),
  settleImported: (given, before, { now }) => {
    if (given.checkStartTime === undefined) keepCheckStart(given, before, now);
  },
});

/** Remembers when a service that existed without a health check was given one. */
function keepCheckStart(draft: Service, before: Service | undefined, now: number): void {
  if (draft.healthCheck === undefined || before === undefined) return;
  if (before.healthCheck === undefined) draft.checkStartTime = instantOfMs(now);
  else if (before.checkStartTime !== undefined) draft.checkStartTime = before.checkStartTime;
}
