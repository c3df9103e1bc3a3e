import type { Service } from "../gen/fairlead/admin/v1/service_pb.ts";
import { instantOfMs } from "../runtime/instant.ts";

/** Remembers when a service that was there without a health check came to have one; it is set before the limits are checked. */
export function keepCheckStart(draft: Service, before: Service | undefined, now: number): void {
  if (draft.healthCheck === undefined || before === undefined) return;
  if (before.healthCheck === undefined) draft.checkStartTime = instantOfMs(now);
  else if (before.checkStartTime !== undefined) draft.checkStartTime = before.checkStartTime;
}
