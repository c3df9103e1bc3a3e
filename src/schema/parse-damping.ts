import { type DampingRules, DEFAULT_DAMPING } from "../domain/damping.ts";
import { DAMPING_LIMITS } from "../domain/limits.ts";
import { type Damping, DampingSchema } from "../gen/fairlead/admin/v1/policy_pb.ts";
import { factsOf } from "./facts.ts";
import { type Report, readDuration } from "./field-checks.ts";

const { perFlap } = DEFAULT_DAMPING;

export const DAMPING_FACTS = factsOf(DampingSchema, {
  halfLife: { time: { ...DAMPING_LIMITS.halfLife, otherwiseMs: DEFAULT_DAMPING.halfLifeMs } },
  holdAbove: {
    range: { min: perFlap, max: DAMPING_LIMITS.maxPenalty },
    otherwise: DEFAULT_DAMPING.holdAbove,
    cure: "`damping: { disabled: true }` holds nothing down",
  },
  releaseBelow: {
    range: { min: DAMPING_LIMITS.minRelease, max: DAMPING_LIMITS.maxPenalty },
    otherwise: DEFAULT_DAMPING.releaseBelow,
  },
  maxHold: {
    time: {
      minMs: DAMPING_LIMITS.halfLife.minMs,
      maxMs: DAMPING_LIMITS.maxHoldMs,
      otherwiseMs: DEFAULT_DAMPING.maxHoldMs,
    },
  },
});

export function parseDamping(message: Damping | undefined, report: Report): DampingRules | undefined {
  const holdAbove = message?.holdAbove ?? DEFAULT_DAMPING.holdAbove;
  const releaseBelow = message?.releaseBelow ?? DEFAULT_DAMPING.releaseBelow;
  if (message?.releaseBelow !== undefined && releaseBelow > holdAbove) {
    report("releaseBelow", `must be at most holdAbove, ${holdAbove}, not ${releaseBelow}`);
  }
  const halfLifeMs = readDuration(message?.halfLife, DEFAULT_DAMPING.halfLifeMs);
  const maxHoldMs = readDuration(message?.maxHold, Math.max(DEFAULT_DAMPING.maxHoldMs, halfLifeMs));
  if (maxHoldMs < halfLifeMs) {
    report("maxHold", `must be at least halfLife, ${halfLifeMs / 1000}s, not ${maxHoldMs / 1000}s`);
  }
  return message?.disabled === true ? undefined : { perFlap, holdAbove, releaseBelow, halfLifeMs, maxHoldMs };
}
