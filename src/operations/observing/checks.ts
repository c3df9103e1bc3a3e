import type { Outcome } from "../../domain/health-verdict-streak.ts";
import type { Name } from "../../domain/name.ts";
import type { Finding } from "./finding.ts";

/** One check of a backend. */
export interface RecentCheck {
  /** Milliseconds since the epoch: when it was decided. */
  readonly at: number;
  readonly outcome: Outcome;
  /** `HTTP 503`, `connection refused`. */
  readonly reason: string;
  readonly durationMs: number;
}

/** The newest checks of one backend, the newest first. */
export interface RecentChecks {
  /** The replica that carries them out. */
  readonly worker: string;
  readonly checks: readonly RecentCheck[];
}

/** Backends of one service that no check has reached for three intervals. */
export interface StaleService {
  readonly backends: number;
  /** Milliseconds since the epoch: the time of the oldest among their newest checks. */
  readonly since: number;
}

/** What is known of the checks under way on all live replicas. */
export interface AllChecks {
  /** What a person on call should look at. */
  findings(): readonly Finding[];
  /** Services whose checks are stale; their verdicts stay as they are. */
  stale(): ReadonlyMap<Name, StaleService>;
  /** Resolves to undefined when no replica that answers checks it. */
  recent(backend: Name): Promise<RecentChecks | undefined>;
}

export function staleText({ backends }: StaleService): string {
  const many = backends === 1 ? "1 of its backends has" : `${backends} of its backends have`;
  return `${many} not been checked for three intervals; the verdicts stay as they are`;
}
