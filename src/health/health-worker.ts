import { setMaxListeners } from "node:events";
import type { Mirror } from "../control/mirror.ts";
import { endWait, isTurning, type Judged, judge, type Observation, type Verdict } from "../domain/health-verdict.ts";
import { MASS_FAILURE_MAX_WAIT_MS, TurningBackends } from "../domain/mass-failure.ts";
import { backendOf, formatName, type Name, partsOf } from "../domain/name.ts";
import { type Assignment, workerOf } from "../duties/assign.ts";
import type { Share } from "../duties/follow-assignment.ts";
import type { RecentCheck, RecentChecks } from "../operations/check-view.ts";
import type { Finding } from "../operations/finding.ts";
import type { Clock } from "../runtime/clock.ts";
import type { HealthMetrics } from "../runtime/health-metrics.ts";
import type { Logger } from "../runtime/logger.ts";
import type { Random } from "../runtime/random.ts";
import { encodeStored } from "../schema/stored-object.ts";
import type { StateStore } from "../store/state-store.ts";
import { type CheckSpec, checkSpec, isAboutToChange, sameSpec, takeOver } from "./checked-backend.ts";
import { ProbeSchedule } from "./probe-schedule.ts";
import type { Prober } from "./prober.ts";
import type { SecondOpinion } from "./second-opinion.ts";
import type { CheckAge } from "./stale-checks.ts";
import { verdictMessage } from "./verdict-message.ts";
import { VerdictWriter } from "./verdict-writer.ts";

/** Connections of checks at a time. */
const MAX_CONNECTIONS = 1024;
/** While more backends than this, and more than this share of all, are about to change, none is checked faster. */
const MAX_HURRIED = 100;
const MAX_HURRIED_RATIO = 0.1;
/** Of each backend, for people. */
const RECENT_CHECKS = 5;
/** For how long a mass failure is shown. */
const MASS_FAILURE_SHOWN_MS = 600_000;
/** Doubts of so long are put into one question. */
const ASK_AFTER_MS = 200;

export interface HealthWorkerOptions {
  readonly name: string;
  readonly mirror: Mirror;
  readonly store: Pick<StateStore, "commit" | "now">;
  readonly prober: Prober;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: HealthMetrics;
  readonly secondOpinion: SecondOpinion;
}

interface Checked {
  readonly spec: CheckSpec;
  judged: Judged;
  /** By the monotonic clock: of the newest check that said something; before the first, when the watch began. */
  seenAt: number;
  hurried: boolean;
  /** It was in a hurry, and has no phase of its own yet. */
  unphased: boolean;
  readonly remove: () => void;
  stopWait: (() => void) | undefined;
  /** The newest observation whose verdict waits. */
  doubted?: Observation;
  /** The newest first. */
  recent: readonly RecentCheck[];
}

/**
 * Checks the backends of its share and writes verdicts when they change.
 *
 * Without a share it does nothing. A new share is taken over from the stored verdicts, so the mirror must have reached the
 * assignment's revision when it is given: by then everything that the worker before could write has been folded.
 */
export class HealthWorker {
  readonly #options: HealthWorkerOptions;
  readonly #checked = new Map<Name, Checked>();
  readonly #turning = new TurningBackends();
  readonly #schedule: ProbeSchedule;
  readonly #writer: VerdictWriter;
  readonly #stop = new AbortController();
  readonly #stopFolds: () => void;
  #share: Share | undefined;
  #sequence = 0n;
  #hurried = 0;
  #massFailure = false;
  #lastMassFailure: (Finding & { readonly since: number }) | undefined;
  #asking = false;

  constructor(options: HealthWorkerOptions) {
    this.#options = options;
    const { name, clock, store, log, metrics, mirror } = options;
    setMaxListeners(0, this.#stop.signal);
    this.#schedule = new ProbeSchedule({
      clock,
      maxRunning: MAX_CONNECTIONS,
      onStart: (delayMs) => metrics.delay.observe(delayMs / 1000),
    });
    this.#writer = new VerdictWriter({
      store,
      clock,
      log,
      observer: name,
      fence: () => this.#share?.fence,
      onFenced: () => this.setShare(undefined),
    });
    this.#stopFolds = mirror.onFold(({ changed }) => {
      const touched = new Set<Name>();
      for (const { kind, name } of changed) {
        if (kind === "backend") touched.add(name);
        else if (kind === "service") for (const backend of this.#backendsOf(name)) touched.add(backend);
        else if (kind === "policy") for (const backend of mirror.all("backend")) touched.add(backend.name);
        else if (kind === "health") this.#forgetRemovedVerdict(name);
      }
      this.#refresh(touched);
    });
  }

  /** How many backends it checks. */
  get watched(): number {
    return this.#checked.size;
  }

  /** Takes a share over, or gives all up. What it has already it keeps, unless another may have had it in between. */
  setShare(share: Share | undefined): void {
    const { log, mirror } = this.#options;
    if (share === undefined && this.#share !== undefined) log.warn({}, "share of checks lost");
    const rounds = (share?.assignment.round ?? 0) - (this.#share?.assignment.round ?? 0);
    if (rounds !== 0 && rounds !== 1) for (const name of this.#checked.keys()) this.#drop(name);
    this.#share = share;
    this.#sequence = 0n;
    this.#refresh(new Set([...this.#checked.keys(), ...Array.from(mirror.all("backend"), ({ name }) => name)]));
  }

  /** The share that it has. */
  get assignment(): Assignment | undefined {
    return this.#share?.assignment;
  }

  /** A mass failure, for as long as a person on call should know of it. */
  findings(): readonly Finding[] {
    const last = this.#lastMassFailure;
    const isRecent = last !== undefined && this.#options.store.now() - last.since < MASS_FAILURE_SHOWN_MS;
    return isRecent ? [last] : [];
  }

  /** How old the newest check of each backend of the share is. */
  *ages(): Iterable<CheckAge> {
    const now = this.#options.clock.monotonic();
    for (const { spec, seenAt } of this.#checked.values()) {
      yield { service: spec.service, intervalMs: spec.check.intervalMs, ageMs: now - seenAt };
    }
  }

  /** Nothing for a backend of another's share. */
  recent(backend: Name): RecentChecks | undefined {
    const checked = this.#checked.get(backend);
    return checked && { worker: this.#options.name, checks: checked.recent };
  }

  async stop(): Promise<void> {
    this.#stopFolds();
    this.#schedule.stop();
    this.#stop.abort(new Error("the worker stops"));
    for (const name of this.#checked.keys()) this.#drop(name);
    await this.#writer.stop();
  }

  #isMine(backend: Name): boolean {
    return this.#share !== undefined && workerOf(backend, this.#share.assignment) === this.#options.name;
  }

  #backendsOf(service: Name): Iterable<Name> {
    return Array.from(this.#options.mirror.backendsOf(service), ({ name }) => name);
  }

  /** Makes these backends be checked as they are to be, or no more. A change begins anew from the stored verdict. */
  #refresh(backends: ReadonlySet<Name>): void {
    const fresh: CheckSpec[] = [];
    for (const name of backends) {
      const known = this.#checked.get(name);
      const spec = this.#isMine(name) ? checkSpec(this.#options.mirror, name) : undefined;
      if (known !== undefined && spec !== undefined && sameSpec(known.spec, spec)) continue;
      this.#drop(name);
      if (spec !== undefined) fresh.push(spec);
    }
    for (const spec of fresh) this.#watch(spec, fresh.length);
    this.#options.metrics.watched.set(this.#checked.size);
  }

  #watch(spec: CheckSpec, together: number): void {
    const { mirror, clock, random } = this.#options;
    const judged = takeOver(mirror, spec);
    // What is proven already keeps a random phase of its own; what is new is checked soon, but not all of it at once.
    const withinMs = judged.given === undefined ? Math.min(spec.check.intervalMs, together) : spec.check.intervalMs;
    const remove = this.#schedule.add(
      {
        run: () => this.#check(checked),
        intervalMs: () => this.#intervalMs(checked),
      },
      random.next() * withinMs,
    );
    const seenAt = clock.monotonic();
    const checked: Checked = {
      spec,
      judged,
      seenAt,
      hurried: false,
      unphased: false,
      remove,
      stopWait: undefined,
      recent: [],
    };
    this.#checked.set(spec.backend, checked);
    this.#setHurried(checked, isAboutToChange(judged));
  }

  #drop(name: Name): void {
    const checked = this.#checked.get(name);
    if (checked === undefined) return;
    checked.remove();
    checked.stopWait?.();
    this.#setHurried(checked, false);
    this.#turning.delete(name);
    this.#checked.delete(name);
  }

  /** A verdict that was taken away is given anew. */
  #forgetRemovedVerdict(name: Name): void {
    const { mirror } = this.#options;
    if (!name.endsWith("/prober") || mirror.get("health", name) !== undefined) return;
    const checked = this.#checked.get(backendOf(name));
    if (checked?.judged.given !== undefined) checked.judged = takeOver(mirror, checked.spec);
  }

  #intervalMs(checked: Checked): number {
    const { random } = this.#options;
    const { check } = checked.spec;
    if (!checked.hurried && checked.unphased) {
      // Those that came together, or changed together, part again.
      checked.unphased = false;
      return check.intervalMs * random.next();
    }
    const calm = this.#hurried <= Math.max(MAX_HURRIED, MAX_HURRIED_RATIO * this.#checked.size);
    const full = checked.hurried && calm ? check.changingIntervalMs : check.intervalMs;
    return full * (1 - check.jitterRatio * random.next());
  }

  #setHurried(checked: Checked, hurried: boolean): void {
    if (checked.hurried === hurried) return;
    checked.hurried = hurried;
    checked.unphased ||= hurried;
    this.#hurried += hurried ? 1 : -1;
  }

  async #check(checked: Checked): Promise<void> {
    const { prober, metrics, clock, log, store } = this.#options;
    const { spec } = checked;
    let observation: Observation | undefined;
    try {
      observation = await prober.probe(spec.target, spec.check, this.#stop.signal);
    } catch (err) {
      if (this.#stop.signal.aborted) return;
      log.error({ err, backend: spec.backend }, "a check broke");
    }
    if (this.#checked.get(spec.backend) !== checked) return;
    if (observation === undefined) {
      metrics.unable.inc();
      return;
    }
    metrics.probes.inc(spec.service, observation.outcome);
    metrics.probeTime.observe(observation.durationMs / 1000);
    checked.seenAt = clock.monotonic();
    const { outcome, reason, durationMs } = observation;
    checked.recent = [{ at: store.now(), outcome, reason, durationMs }, ...checked.recent.slice(0, RECENT_CHECKS - 1)];
    this.#observe(checked, observation);
  }

  #observe(checked: Checked, observation: Observation): void {
    const { backend, service } = checked.spec;
    if (isTurning(checked.judged, observation)) this.#turning.add(backend, service);
    else this.#turning.delete(backend);
    this.#assessMassFailure();
    this.#settle(checked, observation, judge(checked.judged, observation, this.#circumstances(checked)));
  }

  #circumstances({ spec: { check, damping } }: Checked) {
    return {
      now: this.#options.store.now(),
      thresholds: { unhealthy: check.unhealthyThreshold, healthy: check.healthyThreshold },
      damping,
      massFailure: this.#massFailure,
    };
  }

  #settle(
    checked: Checked,
    observation: Observation,
    { judged, verdict }: { judged: Judged; verdict: Verdict | undefined },
  ): void {
    checked.judged = judged;
    this.#setHurried(checked, isAboutToChange(judged));
    if (judged.waiting === undefined) {
      checked.stopWait?.();
      checked.stopWait = undefined;
    } else {
      checked.doubted = observation;
      checked.stopWait ??= this.#options.clock.after(MASS_FAILURE_MAX_WAIT_MS, () => this.#endWait(checked));
      this.#askSoon();
    }
    if (verdict !== undefined) this.#give(checked, verdict);
  }

  #endWait(checked: Checked): void {
    checked.stopWait?.();
    checked.stopWait = undefined;
    const { judged, doubted } = checked;
    if (doubted !== undefined) this.#settle(checked, doubted, endWait(judged, doubted, this.#circumstances(checked)));
  }

  /** One question for all that wait, again and again while some do. */
  #askSoon(): void {
    if (this.#asking) return;
    this.#asking = true;
    this.#options.clock.after(ASK_AFTER_MS, () => void this.#ask());
  }

  async #ask(): Promise<void> {
    const { secondOpinion, log, clock } = this.#options;
    const waiting = () => [...this.#checked.values()].filter(({ judged }) => judged.waiting !== undefined);
    const asked = new Map(waiting().map((checked) => [checked.spec.backend, checked]));
    try {
      for (const name of await secondOpinion([...asked.keys()])) {
        const checked = asked.get(name);
        if (checked !== undefined && this.#checked.get(name) === checked) this.#endWait(checked);
      }
    } catch (err) {
      log.warn({ err }, "no second opinion");
    }
    this.#asking = false;
    if (waiting().length > 0) clock.after(ASK_AFTER_MS, () => this.#askSoon());
  }

  #give(checked: Checked, verdict: Verdict): void {
    const { name: observer, mirror, random, metrics, log } = this.#options;
    const { backend, uid: backendUid, service } = checked.spec;
    const parts = partsOf("backend", backend);
    const name = formatName("health", { ...parts, ids: [...parts.ids, "prober"] });
    if (verdict.status === "UNHEALTHY") this.#turning.delete(backend);
    metrics.verdicts.inc(service, verdict.status);
    log.info({ backend, status: verdict.status, reason: verdict.reason }, "verdict");
    this.#sequence += 1n;
    const sequence = this.#sequence;
    this.#writer.write(name, () => {
      if (this.#checked.get(backend) !== checked) return undefined;
      const fence = BigInt(this.#share?.fence.revision.position ?? 0);
      const before = mirror.stored("health", name)?.message;
      const origin = { backend, backendUid, observer, fence, sequence };
      return encodeStored("health", verdictMessage(verdict, origin, before, random.id()));
    });
  }

  #assessMassFailure(): void {
    const now = this.#turning.isMassFailure(this.#checked.size);
    if (now === this.#massFailure) return;
    this.#massFailure = now;
    const fields = { turning: this.#turning.size, watched: this.#checked.size };
    if (!now) {
      this.#options.log.info(fields, "mass failure over");
      return;
    }
    this.#options.metrics.massFailures.inc();
    this.#lastMassFailure = {
      what: `mass failure: ${fields.turning} of ${fields.watched} backends stopped answering at once`,
      since: this.#options.store.now(),
      why: "their verdicts waited for another observer, 10 s at most; this replica or its network may be to blame",
    };
    this.#options.log.warn(fields, "mass failure: so many backends stopped answering at once that their verdicts wait");
  }
}
