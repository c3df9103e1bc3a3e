/** How a flapping backend is held down: a penalty that grows with each flap and halves with time. */
export interface DampingRules {
  /** Added by one flap: a verdict that becomes worse. */
  readonly perFlap: number;
  /** A penalty above this holds the backend down. */
  readonly holdAbove: number;
  /** Once the penalty has decayed below this, the backend may come back. */
  readonly releaseBelow: number;
  readonly halfLifeMs: number;
  /** Bounds the penalty, so a backend that no longer flaps is held for no longer than this. */
  readonly maxHoldMs: number;
}

/** Kept in the stored verdict, so a new owner goes on from it. */
export interface Damping {
  readonly penalty: number;
  /** When the penalty had that value, in milliseconds since the epoch by the store's clock. */
  readonly asOf: number;
  readonly held: boolean;
}

/**
 * Three flaps within about fifteen seconds hold a backend; the third of them for 44 s when no more follow. Under
 * unending flaps it changes about three times a minute at first, and less and less the longer it goes on.
 */
export const DEFAULT_DAMPING: DampingRules = {
  perFlap: 1000,
  holdAbove: 2500,
  releaseBelow: 1000,
  halfLifeMs: 30_000,
  maxHoldMs: 300_000,
};

export const NO_DAMPING: Damping = { penalty: 0, asOf: 0, held: false };

/** The penalty at `now`; a time before that of the stored penalty counts as that. */
export function penaltyAt(damping: Damping, now: number, rules: DampingRules): number {
  return damping.penalty * 2 ** (-Math.max(0, now - damping.asOf) / rules.halfLifeMs);
}

/** The damping after one more flap. */
export function addFlap(damping: Damping, now: number, rules: DampingRules): Damping {
  const most = rules.releaseBelow * 2 ** (rules.maxHoldMs / rules.halfLifeMs);
  const penalty = Math.min(penaltyAt(damping, now, rules) + rules.perFlap, most);
  const held = isHeld(damping, now, rules) || penalty > rules.holdAbove;
  return { penalty, asOf: Math.max(now, damping.asOf), held };
}

export function isHeld(damping: Damping, now: number, rules: DampingRules): boolean {
  return damping.held && penaltyAt(damping, now, rules) >= rules.releaseBelow;
}

/** When the hold ends if no flap follows. */
export function heldUntil(damping: Damping, rules: DampingRules): number {
  if (!damping.held || damping.penalty < rules.releaseBelow) return damping.asOf;
  return damping.asOf + rules.halfLifeMs * Math.log2(damping.penalty / rules.releaseBelow);
}
