import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Health_Status } from "../gen/fairlead/admin/v1/backend_pb.ts";
import type { ExplainBackendResponseSchema } from "../gen/fairlead/admin/v1/explain_pb.ts";
import type { RecentCheck } from "../operations/observing/checks.ts";
import type { ExplainedBackend } from "../operations/observing/explain-backend.ts";
import { instantOfMs } from "../runtime/instant.ts";
import { formatRevision } from "../store/revision.ts";
import { unknownMessage } from "./node-message.ts";

const OUTCOME: Readonly<Record<RecentCheck["outcome"], Health_Status>> = {
  pass: Health_Status.HEALTHY,
  degraded: Health_Status.DEGRADED,
  fail: Health_Status.UNHEALTHY,
};

/** Why a backend gets traffic, or none, as the API describes it. */
export function explainedBackendMessage({
  removedAt,
  healthCheck,
  revision,
  proxies: { settledAfterMs, unknown, ...proxies },
  recent,
  ...explained
}: ExplainedBackend): MessageInitShape<typeof ExplainBackendResponseSchema> {
  return {
    ...explained,
    ...proxies,
    ...(removedAt !== undefined && { removalTime: instantOfMs(removedAt) }),
    ...(healthCheck !== undefined && { healthCheck }),
    revision: formatRevision(revision),
    ...(settledAfterMs !== undefined && { acknowledgedAfter: durationFromMs(Math.round(settledAfterMs)) }),
    unknownReplicas: unknown.map(unknownMessage),
    checkedBy: recent?.worker ?? "",
    checks: (recent?.checks ?? []).map(({ at, outcome, reason, durationMs }) => ({
      time: instantOfMs(at),
      outcome: OUTCOME[outcome],
      reason,
      took: durationFromMs(Math.round(durationMs)),
    })),
  };
}
