import { MASS_FAILURE_MAX_WAIT_MS, TurningBackends } from "../domain/mass-failure.ts";
import type { Name } from "../domain/name.ts";
import type { Finding } from "../operations/observing/finding.ts";
import type { HealthMetrics } from "../runtime/health-metrics.ts";
import type { Logger } from "../runtime/logger.ts";

/** How long a mass failure is shown. */
const SHOWN_MS = 600_000;

interface MassFailureBrakeOptions {
  /** How many backends this worker checks. */
  readonly watched: () => number;
  readonly now: () => number;
  readonly metrics: HealthMetrics;
  readonly log: Logger;
}

/** Decides, and lets people know, whether so many of a worker's backends stopped answering at once that it doubts itself. */
export class MassFailureBrake {
  readonly #options: MassFailureBrakeOptions;
  readonly #turning = new TurningBackends();
  #isOn = false;
  #last: (Finding & { readonly since: number }) | undefined;

  constructor(options: MassFailureBrakeOptions) {
    this.#options = options;
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  /** Called at each observation, with whether the backend is turning. */
  observe(backend: Name, service: Name, isTurning: boolean): void {
    if (isTurning) this.#turning.add(backend, service);
    else this.#turning.delete(backend);
    this.#assess();
  }

  /** Forgets a backend that is no longer watched. */
  forget(backend: Name): void {
    this.#turning.delete(backend);
  }

  /** A mass failure, for as long as a person on call should know of it. */
  findings(): readonly Finding[] {
    const last = this.#last;
    return last !== undefined && this.#options.now() - last.since < SHOWN_MS ? [last] : [];
  }

  #assess(): void {
    const { watched, now, metrics, log } = this.#options;
    const isOn = this.#turning.isMassFailure(watched());
    if (isOn === this.#isOn) return;
    this.#isOn = isOn;
    const fields = { turning: this.#turning.size, watched: watched() };
    if (!isOn) {
      log.info(fields, "the mass failure is over");
      return;
    }
    metrics.massFailures.inc();
    this.#last = {
      what: `mass failure: ${fields.turning} of ${fields.watched} backends stopped answering at once`,
      since: now(),
      why: `their verdicts waited for another observer, ${MASS_FAILURE_MAX_WAIT_MS / 1000} s at most; this replica or its network may be to blame`,
    };
    log.warn(fields, "mass failure: so many backends stopped answering at once that their verdicts wait");
  }
}
