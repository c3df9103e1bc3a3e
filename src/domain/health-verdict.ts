import { addFlap, type Damping, type DampingRules, heldUntil, isHeld, NO_DAMPING } from "./damping.ts";
import {
  type CheckedStatus,
  countObservation,
  type Outcome,
  type Streak,
  startStreak,
  type Thresholds,
} from "./health-verdict-streak.ts";
import { MASS_FAILURE_MAX_WAIT_MS } from "./mass-failure.ts";

/** What one check of one backend saw. */
export interface Observation {
  readonly outcome: Outcome;
  /** `HTTP 503`, `connection refused`, `timeout after 2000 ms`. */
  readonly reason: string;
  /** A failure without any sign from the target: a timeout, an unreachable host. The observer may be to blame. */
  readonly ambiguous: boolean;
  readonly durationMs: number;
}

/** A verdict to be written. */
export interface Verdict {
  readonly status: Exclude<CheckedStatus, "PENDING">;
  readonly reason: string;
  /** Observations in a row that speak for it. */
  readonly inRow: number;
  readonly observedAt: number;
  readonly lastGoodAt: number | undefined;
  readonly damping: Damping;
}

/** The stored parts of a backend's verdict that judging goes on from. */
export interface StoredVerdict extends Pick<Verdict, "reason" | "lastGoodAt" | "damping"> {
  readonly status: CheckedStatus;
}

/** One backend in the eyes of its prober. */
export interface Judged {
  readonly streak: Streak;
  /** The verdict that was given last; undefined before the first. */
  readonly given: CheckedStatus | undefined;
  /** The stored reason, and until when no other reason is told. */
  readonly told: { readonly reason: string; readonly until: number };
  readonly damping: Damping;
  /** The penalty as it is stored. */
  readonly stored: Damping;
  readonly lastGoodAt: number | undefined;
  /** An unhealthy verdict that waits for a second observer: since when, and what the backend was before. */
  readonly waiting: { readonly since: number; readonly before: CheckedStatus } | undefined;
}

export interface Circumstances {
  /** Milliseconds since the epoch by the store's clock. */
  readonly now: number;
  readonly thresholds: Thresholds;
  /** Absent: switched off. */
  readonly damping: DampingRules | undefined;
  /** Whether so many backends turn at once that the observer is in doubt. */
  readonly massFailure: boolean;
  /** Whether the service has a backend in rotation that is not held for flapping. Asked only where damping would hold one. */
  readonly othersServe: () => boolean;
}

/** How a backend is judged from now on, and the verdict to write if there is one. */
export interface Judgement {
  readonly judged: Judged;
  readonly verdict: Verdict | undefined;
}

/** An unhealthy backend that fails for another reason than before gets a new verdict: at once, then at most this often. */
const RETELL_MS = 10_000;

/** Starts judging a backend that this observer takes over, from the stored verdict on. */
export function startJudging(initial: "PENDING" | "HEALTHY", stored: StoredVerdict | undefined): Judged {
  const damping = stored?.damping ?? NO_DAMPING;
  return {
    streak: startStreak(stored?.status ?? initial),
    given: stored?.status,
    told: { reason: stored?.reason ?? "", until: 0 },
    damping,
    stored: damping,
    lastGoodAt: stored?.lastGoodAt,
    waiting: undefined,
  };
}

/**
 * Takes one observation into account, and gives the verdict to write if it changes.
 *
 * A worse verdict is given at once, except an ambiguous one in a mass failure, which waits for `endWait`, at most
 * `MASS_FAILURE_MAX_WAIT_MS`. A better one waits while damping holds the backend, which it does only while others serve.
 */
export function judge(judged: Judged, observation: Observation, circumstances: Circumstances): Judgement {
  const { now, thresholds } = circumstances;
  const good = observation.outcome !== "fail";
  // A good sign settles the doubt: the backend goes on as what it was.
  const before = good && judged.waiting !== undefined ? startStreak(judged.waiting.before) : judged.streak;
  const streak = countObservation(before, observation.outcome, thresholds);
  const seen: Judged = { ...judged, streak, lastGoodAt: good ? now : judged.lastGoodAt };
  const status = provenStatus(streak, judged.given, thresholds);
  if (status === undefined) return { judged: { ...seen, waiting: undefined }, verdict: undefined };
  if (mustWait(judged, status, observation, circumstances)) {
    const waiting = judged.waiting ?? { since: now, before: before.status };
    return { judged: { ...seen, waiting }, verdict: undefined };
  }
  const flapped = isFlap(judged.waiting?.before ?? before.status, judged.given, status);
  return settle({ ...seen, waiting: undefined }, status, observation, { ...circumstances, flapped });
}

/** Gives the verdict that waited: a second observer saw the same failure, or the wait is over. */
export function endWait(judged: Judged, observation: Observation, circumstances: Circumstances): Judgement {
  if (judged.waiting === undefined) return { judged, verdict: undefined };
  const flapped = isFlap(judged.waiting.before, judged.given, "UNHEALTHY");
  return settle({ ...judged, waiting: undefined }, "UNHEALTHY", observation, { ...circumstances, flapped });
}

/** Gives the better verdict that damping held back, once no other backend of the service serves. */
export function endHold(judged: Judged, observation: Observation, circumstances: Circumstances): Judgement {
  const status = provenStatus(judged.streak, judged.given, circumstances.thresholds);
  if (!isHeldBack(judged) || status === undefined) return { judged, verdict: undefined };
  return settle(judged, status, observation, { ...circumstances, flapped: false });
}

/** Whether the checks have proven a backend better than the verdict that it is held at. */
export function isHeldBack({ streak, given, damping }: Judged): boolean {
  return damping.held && given === "UNHEALTHY" && streak.status !== given;
}

/** Whether a failed observation counts towards a mass failure: the backend is turning, and gave no sign. */
export function isTurning({ given }: Judged, { outcome, ambiguous }: Observation): boolean {
  return outcome === "fail" && ambiguous && given !== "UNHEALTHY";
}

/** The status that the streak proves; undefined while it is only assumed. */
function provenStatus(
  streak: Streak,
  given: CheckedStatus | undefined,
  { healthy }: Thresholds,
): Verdict["status"] | undefined {
  if (streak.status === "PENDING") return undefined;
  const assumed = given === undefined && streak.status !== "UNHEALTHY" && streak.goodInRow < healthy;
  return assumed ? undefined : streak.status;
}

function mustWait(
  { given, waiting }: Judged,
  status: CheckedStatus,
  { ambiguous }: Observation,
  { now, massFailure }: Circumstances,
): boolean {
  if (status !== "UNHEALTHY" || given === "UNHEALTHY" || !ambiguous) return false;
  return waiting === undefined ? massFailure : now - waiting.since < MASS_FAILURE_MAX_WAIT_MS;
}

const RANK: Record<CheckedStatus, number> = { PENDING: 0, HEALTHY: 0, DEGRADED: 1, UNHEALTHY: 2 };

/** Whether a backend that was proven good becomes worse, even while a hold hides it. */
function isFlap(before: CheckedStatus, given: CheckedStatus | undefined, status: CheckedStatus): boolean {
  return given !== undefined && RANK[status] > RANK[before];
}

function settle(
  judged: Judged,
  status: Verdict["status"],
  observation: Observation,
  { now, damping: rules, othersServe, flapped }: Circumstances & { readonly flapped: boolean },
): Judgement {
  const retold = failsOtherwise(judged, status, observation, now);
  if (rules === undefined) return give({ ...judged, damping: NO_DAMPING }, status, { observation, retold }, now);
  const damping = flapped ? addFlap(judged.damping, now, rules) : judged.damping;
  const held = isHeld(damping, now, rules);
  const better = judged.given !== undefined && RANK[status] < RANK[judged.given];
  // A hold that leaves clients with nothing does more harm than the flaps that it guards against.
  const keep = held && better && (judged.given !== "UNHEALTHY" || othersServe());
  // The stored verdict must not say "free" where the penalty says "held": a new owner would let the backend out.
  const outdated = held && !isHeld(judged.stored, now, rules);
  const given = keep ? (judged.given as Verdict["status"]) : status;
  if (given === judged.given && !outdated && !retold) return { judged: { ...judged, damping }, verdict: undefined };
  const seconds = Math.ceil((heldUntil(damping, rules) - now) / 1000);
  const released = held && better && !keep;
  const hold = released
    ? "flapping, but no other serves"
    : `flapping: held down for at least ${seconds} s while others serve`;
  const told = { observation, retold, ...(held && { hold }) };
  return give({ ...judged, damping }, given, told, now);
}

/** Whether an unhealthy backend fails for another reason than the stored verdict says, and the new one may be told. */
function failsOtherwise(
  { given, told }: Judged,
  status: Verdict["status"],
  { outcome, reason }: Observation,
  now: number,
): boolean {
  if (status !== "UNHEALTHY" || given !== "UNHEALTHY" || outcome !== "fail") return false;
  const isSame = told.reason === reason || told.reason.startsWith(`${reason} (`);
  return !isSame && now >= told.until;
}

function give(
  judged: Judged,
  status: Verdict["status"],
  { observation, hold, retold }: { observation: Observation; hold?: string; retold: boolean },
  now: number,
): Judgement {
  if (status === judged.given && judged.damping === judged.stored && !retold) return { judged, verdict: undefined };
  const { damping, lastGoodAt, streak } = judged;
  const reason = hold === undefined ? observation.reason : `${observation.reason} (${hold})`;
  const verdict: Verdict = { status, reason, inRow: streak.inRow, observedAt: now, lastGoodAt, damping };
  return {
    judged: { ...judged, given: status, told: { reason, until: retold ? now + RETELL_MS : now }, stored: damping },
    verdict,
  };
}
