import type { Target } from "../domain/backend.ts";
import type { HealthCheck } from "../domain/health-check.ts";
import type { Observation } from "../domain/health-verdict.ts";

/** Carries out checks. */
export interface Prober {
  /**
   * Checks a target once, within `check.timeoutMs`. Undefined when this machine could not even try, for want of files,
   * ports or permission: that says nothing about the target.
   *
   * Rejects only with the signal's reason.
   */
  probe(target: Target, check: HealthCheck, signal: AbortSignal): Promise<Observation | undefined>;
}
