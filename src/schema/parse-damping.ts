import { type DampingRules, DEFAULT_DAMPING } from "../domain/damping.ts";
import { DAMPING_LIMITS } from "../domain/limits.ts";
import type { Damping } from "../gen/fairlead/admin/v1/policy_pb.ts";
import { checkDuration, checkRangeOr, type Report } from "./field-checks.ts";

export function parseDamping(message: Damping | undefined, report: Report): DampingRules | undefined {
  const { perFlap } = DEFAULT_DAMPING;
  const holdAbove = checkRangeOr(report, "holdAbove", message?.holdAbove, {
    min: perFlap,
    max: DAMPING_LIMITS.maxPenalty,
    otherwise: DEFAULT_DAMPING.holdAbove,
    cure: "`damping: { disabled: true }` holds nothing down",
  });
  const releaseBelow = checkRangeOr(report, "releaseBelow", message?.releaseBelow, {
    min: DAMPING_LIMITS.minRelease,
    max: holdAbove,
    otherwise: DEFAULT_DAMPING.releaseBelow,
  });
  const halfLifeMs = checkDuration(report, "halfLife", message?.halfLife, {
    ...DAMPING_LIMITS.halfLife,
    otherwiseMs: DEFAULT_DAMPING.halfLifeMs,
  });
  const maxHoldMs = checkDuration(report, "maxHold", message?.maxHold, {
    minMs: halfLifeMs,
    maxMs: DAMPING_LIMITS.maxHoldMs,
    otherwiseMs: Math.max(DEFAULT_DAMPING.maxHoldMs, halfLifeMs),
  });
  return message?.disabled === true ? undefined : { perFlap, holdAbove, releaseBelow, halfLifeMs, maxHoldMs };
}
