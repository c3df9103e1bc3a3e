import { create } from "@bufbuild/protobuf";
import type { Verdict } from "../domain/health-verdict.ts";
import { MAX_HEALTH_REASON_LENGTH } from "../domain/limits.ts";
import { type Health, Health_Status, HealthSchema } from "../gen/fairlead/admin/v1/backend_pb.ts";
import { instantOfMs } from "../runtime/instant.ts";
import { statusTime } from "../schema/status-time.ts";

/** Who gives a verdict, and its place in the order of all of them (law 3). */
type Origin = Pick<Health, "backend" | "backendUid" | "observer" | "fence" | "sequence">;

const STATUS = {
  HEALTHY: Health_Status.HEALTHY,
  DEGRADED: Health_Status.DEGRADED,
  UNHEALTHY: Health_Status.UNHEALTHY,
} as const;

/** The stored form of a verdict; `before` is the stored one that it replaces. */
export function verdictMessage(verdict: Verdict, origin: Origin, before: Health | undefined, uid: string): Health {
  const { damping, lastGoodAt } = verdict;
  const now = instantOfMs(verdict.observedAt);
  const status = STATUS[verdict.status];
  // How long a backend has been as it is depends on its status, not on the latest words about it.
  const isSame = before?.status === status && before.backendUid === origin.backendUid;
  return create(HealthSchema, {
    ...origin,
    source: "prober",
    actor: `worker:${origin.observer}`,
    status,
    statusTime: statusTime(before, { status, backendUid: origin.backendUid }, now),
    reason: verdict.reason.slice(0, MAX_HEALTH_REASON_LENGTH),
    observeTime: now,
    inARow: verdict.inRow,
    ...(lastGoodAt !== undefined && { lastGoodTime: instantOfMs(lastGoodAt) }),
    ...(damping.penalty > 0 && {
      damping: { penalty: damping.penalty, asOfTime: instantOfMs(damping.asOf), held: damping.held },
    }),
    meta: {
      uid: before?.meta?.uid ?? uid,
      generation: (before?.meta?.generation ?? 0n) + 1n,
      createTime: before?.meta?.createTime ?? now,
      updateTime: (isSame ? before.meta?.updateTime : undefined) ?? now,
    },
  });
}
