import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { type GetStatusResponseSchema, Problem_Severity } from "../gen/fairlead/admin/v1/observe_pb.ts";
import type { Severity } from "../operations/observing/finding.ts";
import type { PlaneStatus } from "../operations/observing/get-status.ts";
import type { Problem } from "../operations/observing/problems.ts";
import type { ReplicaState } from "../operations/observing/replicas.ts";
import { instantOfMs } from "../runtime/instant.ts";
import { formatRevision } from "../store/revision.ts";

const SEVERITY: Readonly<Record<Severity, Problem_Severity>> = {
  down: Problem_Severity.DOWN,
  degraded: Problem_Severity.DEGRADED,
  notice: Problem_Severity.NOTICE,
};

/** The state of the plane as the API describes it. */
export function statusMessage({
  revision,
  lastWriteAt,
  start,
  replicas,
  problems,
  ...counts
}: PlaneStatus): MessageInitShape<typeof GetStatusResponseSchema> {
  return {
    ...counts,
    revision: formatRevision(revision),
    ...(lastWriteAt !== undefined && { lastWriteTime: instantOfMs(lastWriteAt) }),
    ...(start !== undefined && {
      start: {
        time: instantOfMs(start.at),
        revision: formatRevision(start.revision),
        took: durationFromMs(start.tookMs),
        proxies: start.proxies,
      },
    }),
    replicas: replicas.map(replicaMessage),
    problems: problems.map(problemMessage),
  };
}

function replicaMessage({ name, live, revision, silentMs, held = "", profiles }: ReplicaState) {
  return {
    name,
    encodingProfiles: [...profiles],
    live,
    held,
    revision: formatRevision(revision),
    ...(silentMs !== undefined && { silent: durationFromMs(Math.round(silentMs)) }),
  };
}

function problemMessage({ what, why, severity, since, atLeast = false }: Problem) {
  const began = since === undefined ? {} : { since: instantOfMs(since), sinceAtLeast: atLeast };
  return { what, why, severity: SEVERITY[severity], ...began };
}
