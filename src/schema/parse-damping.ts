import { type DampingRules, DEFAULT_DAMPING } from "../domain/damping.ts";
import {
  MAX_DAMPING_HALF_LIFE_MS,
  MAX_DAMPING_HOLD_MS,
  MAX_DAMPING_PENALTY,
  MIN_DAMPING_HALF_LIFE_MS,
  MIN_DAMPING_RELEASE,
} from "../domain/limits.ts";
import type { Damping } from "../gen/fairlead/admin/v1/policy_pb.ts";
import { checkDuration, checkRangeOr, type Report } from "./field-checks.ts";

export function parseDamping(message: Damping | undefined, report: Report): DampingRules | undefined {
  const { perFlap } = DEFAULT_DAMPING;
  const holdAbove = checkRangeOr(report, "damping.holdAbove", message?.holdAbove, {
    min: perFlap,
    max: MAX_DAMPING_PENALTY,
    otherwise: DEFAULT_DAMPING.holdAbove,
    cure: "`damping: { disabled: true }` holds nothing down",
  });
  const releaseBelow = checkRangeOr(report, "damping.releaseBelow", message?.releaseBelow, {
    min: MIN_DAMPING_RELEASE,
    max: holdAbove,
    otherwise: DEFAULT_DAMPING.releaseBelow,
  });
  const halfLifeMs = checkDuration(report, "damping.halfLife", message?.halfLife, {
    minMs: MIN_DAMPING_HALF_LIFE_MS,
    maxMs: MAX_DAMPING_HALF_LIFE_MS,
    otherwiseMs: DEFAULT_DAMPING.halfLifeMs,
  });
  const maxHoldMs = checkDuration(report, "damping.maxHold", message?.maxHold, {
    minMs: halfLifeMs,
    maxMs: MAX_DAMPING_HOLD_MS,
    otherwiseMs: Math.max(DEFAULT_DAMPING.maxHoldMs, halfLifeMs),
  });
  return message?.disabled === true ? undefined : { perFlap, holdAbove, releaseBelow, halfLifeMs, maxHoldMs };
}
