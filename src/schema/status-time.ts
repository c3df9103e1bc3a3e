import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { Health } from "../gen/fairlead/admin/v1/backend_pb.ts";

/** Since when a verdict has its status: one that repeats the status of the same backend keeps the earlier time. */
export function statusTime(
  before: Health | undefined,
  next: Pick<Health, "status" | "backendUid">,
  now: Timestamp,
): Timestamp {
  if (before === undefined || before.status !== next.status || before.backendUid !== next.backendUid) return now;
  return before.statusTime ?? before.meta?.updateTime ?? now;
}
