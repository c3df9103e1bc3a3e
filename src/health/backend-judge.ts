import type { Mirror } from "../control/mirror.ts";
import {
  type Circumstances,
  endHold,
  endWait,
  isHeldBack,
  isTurning,
  type Judged,
  judge,
  type Observation,
  type Verdict,
} from "../domain/health-verdict.ts";
import { MASS_FAILURE_MAX_WAIT_MS } from "../domain/mass-failure.ts";
import { type Name, type ObjectId, serviceOfObject } from "../domain/name.ts";
import { othersServe } from "../domain/others-serve.ts";
import type { Finding } from "../operations/observing/finding.ts";
import type { HealthMetrics } from "../runtime/health-metrics.ts";
import type { Machine } from "../runtime/machine.ts";
import type { StateStore } from "../store/state-store.ts";
import { type CheckSpec, isAboutToChange, takeOver } from "./checked-backend.ts";
import { MassFailureBrake } from "./mass-failure-brake.ts";
import type { SecondOpinion } from "./second-opinion.ts";

/** Doubts that arise within this time are put into one question. */
const ASK_AFTER_MS = 200;

/** One backend in the eyes of the judge. */
export interface JudgedBackend {
  readonly spec: CheckSpec;
  judged: Judged;
  /** What its newest check saw. */
  newest: Observation | undefined;
}

export interface BackendJudgeOptions extends Pick<Machine, "clock" | "log"> {
  readonly mirror: Mirror;
  readonly store: Pick<StateStore, "now">;
  readonly metrics: HealthMetrics;
  readonly secondOpinion: SecondOpinion;
  /** How many backends there are. */
  readonly watched: () => number;
  readonly give: (backend: JudgedBackend, verdict: Verdict) => void;
}

/**
 * Judges the backends of a worker by what their checks see, each by itself and all together: a verdict may have to wait while
 * so many stop answering at once that the worker doubts itself, and damping may hold one back while others serve.
 */
export class BackendJudge {
  readonly #options: BackendJudgeOptions;
  readonly #massFailure: MassFailureBrake;
  /** Those whose next checks may bring another verdict. */
  readonly changing = new Set<JudgedBackend>();
  /** Those that damping holds although their checks go well. */
  readonly #heldBack = new Set<JudgedBackend>();
  /** Those whose verdict waits for a second opinion, and how to cancel the end of their wait. */
  readonly #waiting = new Map<JudgedBackend, () => void>();
  #asking = false;

  constructor(options: BackendJudgeOptions) {
    const { store, watched, metrics, log } = options;
    this.#options = options;
    this.#massFailure = new MassFailureBrake({ watched, now: () => store.now(), metrics, log });
  }

  findings(): readonly Finding[] {
    return this.#massFailure.findings();
  }

  add(backend: JudgedBackend): void {
    if (isAboutToChange(backend.judged)) this.changing.add(backend);
  }

  forget(backend: JudgedBackend): void {
    this.#stopWait(backend);
    this.changing.delete(backend);
    this.#heldBack.delete(backend);
    this.#massFailure.forget(backend.spec.backend);
  }

  /** Its verdict was removed: it is given anew. */
  beginAnew(backend: JudgedBackend): void {
    if (backend.judged.given !== undefined) backend.judged = takeOver(this.#options.mirror, backend.spec);
  }

  observe(backend: JudgedBackend, observation: Observation): void {
    const { backend: name, service } = backend.spec;
    backend.newest = observation;
    this.#massFailure.observe(name, service, isTurning(backend.judged, observation));
    this.#judge(backend, judge);
  }

  /** Ends holds after a change of these objects: the backends that serve in place of those that are held may just have gone. */
  endHolds(changed: readonly ObjectId[]): void {
    if (this.#heldBack.size === 0) return;
    const services = new Set(changed.map(({ kind, name }) => serviceOfObject(kind, name)));
    for (const backend of [...this.#heldBack]) if (services.has(backend.spec.service)) this.#judge(backend, endHold);
  }

  #judge(backend: JudgedBackend, decide: typeof judge): void {
    if (backend.newest === undefined) return;
    const { judged, verdict } = decide(backend.judged, backend.newest, this.#circumstances(backend));
    backend.judged = judged;
    include(this.changing, backend, isAboutToChange(judged));
    include(this.#heldBack, backend, isHeldBack(judged));
    if (judged.waiting === undefined) this.#stopWait(backend);
    else this.#wait(backend);
    if (verdict !== undefined) this.#options.give(backend, verdict);
  }

  #circumstances({ spec: { service, check, damping } }: JudgedBackend): Circumstances {
    const { mirror, store } = this.#options;
    const now = store.now();
    return {
      now,
      thresholds: { unhealthy: check.unhealthyThreshold, healthy: check.healthyThreshold },
      damping,
      massFailure: this.#massFailure.isOn,
      othersServe: () => othersServe(mirror, service, now),
    };
  }

  #wait(backend: JudgedBackend): void {
    const { clock } = this.#options;
    if (!this.#waiting.has(backend)) {
      this.#waiting.set(
        backend,
        clock.after(MASS_FAILURE_MAX_WAIT_MS, () => this.#endWait(backend)),
      );
    }
    this.#askSoon();
  }

  #stopWait(backend: JudgedBackend): void {
    this.#waiting.get(backend)?.();
    this.#waiting.delete(backend);
  }

  #endWait(backend: JudgedBackend): void {
    this.#stopWait(backend);
    this.#judge(backend, endWait);
  }

  /** Asks one question for all that wait, again and again while some do. */
  #askSoon(): void {
    if (this.#asking) return;
    this.#asking = true;
    this.#options.clock.after(ASK_AFTER_MS, () => void this.#ask());
  }

  async #ask(): Promise<void> {
    const { secondOpinion, log, clock } = this.#options;
    const asked = new Map<Name, JudgedBackend>(Array.from(this.#waiting.keys(), (each) => [each.spec.backend, each]));
    try {
      for (const name of await secondOpinion([...asked.keys()])) {
        const backend = asked.get(name);
        if (backend !== undefined && this.#waiting.has(backend)) this.#endWait(backend);
      }
    } catch (err) {
      log.warn({ err }, "other replicas could not be asked for a second opinion");
    }
    this.#asking = false;
    if (this.#waiting.size > 0) clock.after(ASK_AFTER_MS, () => this.#askSoon());
  }
}

function include<T>(set: Set<T>, item: T, isIn: boolean): void {
  if (isIn) set.add(item);
  else set.delete(item);
}
