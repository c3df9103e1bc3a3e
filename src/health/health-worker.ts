import { setMaxListeners } from "node:events";
import type { Mirror } from "../control/mirror.ts";
import {
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
import type { ObjectId } from "../domain/name.ts";
import { backendOf, formatName, type Kind, type Name, partsOf, serviceOfObject } from "../domain/name.ts";
import { othersServe } from "../domain/others-serve.ts";
import { workerOf } from "../duties/assign.ts";
import type { Share } from "../duties/follow-assignment.ts";
import type { RecentCheck, RecentChecks } from "../operations/observing/check-view.ts";
import type { Finding } from "../operations/observing/finding.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Containment } from "../runtime/containment.ts";
import type { HealthMetrics } from "../runtime/health-metrics.ts";
import type { Logger } from "../runtime/logger.ts";
import type { Random } from "../runtime/random.ts";
import { encodeStored } from "../schema/stored-object.ts";
import type { Assignment } from "../store/keys/assignment-record.ts";
import type { StateStore } from "../store/state-store.ts";
import { type CheckSpec, checkSpec, isAboutToChange, sameSpec, takeOver } from "./checked-backend.ts";
import { MassFailureBrake } from "./mass-failure-brake.ts";
import { ProbeSchedule } from "./probe-schedule.ts";
import type { Prober } from "./prober.ts";
import type { SecondOpinion } from "./second-opinion.ts";
import type { CheckAge } from "./stale-checks.ts";
import { verdictMessage } from "./verdict-message.ts";
import { VerdictWriter } from "./verdict-writer.ts";

/** The most connections of checks at a time. */
const MAX_CONNECTIONS = 1024;
/** While more backends than this, and more than this share of all, are about to change, none is checked faster. */
const MAX_HURRIED = 100;
const MAX_HURRIED_RATIO = 0.1;
/** How many checks of each backend are kept, for people. */
const RECENT_CHECKS = 5;
/** Doubts that arise within this time are put into one question. */
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
  readonly containment: Pick<Containment, "note">;
}

interface Checked {
  readonly spec: CheckSpec;
  judged: Judged;
  /** By the monotonic clock: when the newest check that said something ended; before the first, when the watch began. */
  seenAt: number;
  hurried: boolean;
  /** It was hurried, and has no phase of its own yet. */
  unphased: boolean;
  readonly remove: () => void;
  stopWait: (() => void) | undefined;
  newest?: Observation;
  /** The newest first. */
  recent: readonly RecentCheck[];
}

/**
 * Checks the backends of its share and writes verdicts when they change.
 *
 * Without a share it does nothing. A new share is taken over from the stored verdicts, so the mirror must have reached the
 * assignment's revision when it is given: by then everything that the previous worker could write has been folded.
 */
export class HealthWorker {
  readonly #options: HealthWorkerOptions;
  readonly #checked = new Map<Name, Checked>();
  /** Backends that damping holds although their checks go well. */
  readonly #heldBack = new Set<Checked>();
  readonly #massFailure: MassFailureBrake;
  readonly #schedule: ProbeSchedule;
  readonly #writer: VerdictWriter;
  readonly #stop = new AbortController();
  readonly #stopFolds: () => void;
  /** The backends whose checks may differ after a change of an object; other kinds of objects change no checks. */
  readonly #touched: { readonly [K in Kind]?: (name: Name) => Iterable<Name> } = {
    backend: (name) => [name],
    service: (name) => this.#backendsOf(name),
    policy: () => Array.from(this.#options.mirror.all("backend"), ({ name }) => name),
    health: (name) => {
      this.#forgetRemovedVerdict(name);
      return [];
    },
  };
  #share: Share | undefined;
  #sequence = 0n;
  #hurried = 0;
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
    this.#massFailure = new MassFailureBrake({
      watched: () => this.#checked.size,
      now: () => store.now(),
      metrics,
      log,
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
      for (const { kind, name } of changed) for (const one of this.#touched[kind]?.(name) ?? []) touched.add(one);
      this.#refresh(touched);
      this.#endHolds(changed);
    });
  }

  /** How many backends it checks. */
  get watched(): number {
    return this.#checked.size;
  }

  /** Takes over a share, or gives up all. It keeps what it already has, unless another may have had it in between. */
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

  findings(): readonly Finding[] {
    return this.#massFailure.findings();
  }

  /** How old the newest check of each backend of the share is. */
  *ages(): Iterable<CheckAge> {
    const now = this.#options.clock.monotonic();
    for (const { spec, seenAt } of this.#checked.values()) {
      yield { service: spec.service, intervalMs: spec.check.intervalMs, ageMs: now - seenAt };
    }
  }

  /** Undefined for a backend of another worker's share. */
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

  /** Begins, changes or ends the checks of these backends as needed. A change begins anew from the stored verdict. */
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
    // A proven backend gets a random phase within its interval; new ones are checked soon, but not all of them at once.
    const withinMs = judged.given === undefined ? Math.min(spec.check.intervalMs, together) : spec.check.intervalMs;
    const remove = this.#schedule.add(
      {
        run: () => this.#checkContained(checked),
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
    this.#massFailure.forget(name);
    this.#heldBack.delete(checked);
    this.#checked.delete(name);
  }

  /** A verdict that was removed is given anew. */
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
      // Backends that came together, or changed together, get phases of their own again.
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

  /** Never rejects: the schedule goes on, whatever comes of one check. */
  async #checkContained(checked: Checked): Promise<void> {
    try {
      await this.#check(checked);
    } catch (thrown) {
      if (!this.#stop.signal.aborted) this.#options.containment.note("probe", checked.spec.backend, thrown);
    }
  }

  async #check(checked: Checked): Promise<void> {
    const { prober, metrics, clock, store } = this.#options;
    const { spec } = checked;
    const observation = await prober.probe(spec.target, spec.check, this.#stop.signal);
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
    checked.newest = observation;
    this.#massFailure.observe(backend, service, isTurning(checked.judged, observation));
    this.#settle(checked, judge(checked.judged, observation, this.#circumstances(checked)));
  }

  #circumstances({ spec: { service, check, damping } }: Checked) {
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

  #settle(checked: Checked, { judged, verdict }: { judged: Judged; verdict: Verdict | undefined }): void {
    checked.judged = judged;
    this.#setHurried(checked, isAboutToChange(judged));
    if (isHeldBack(judged)) this.#heldBack.add(checked);
    else this.#heldBack.delete(checked);
    if (judged.waiting === undefined) {
      checked.stopWait?.();
      checked.stopWait = undefined;
    } else {
      checked.stopWait ??= this.#options.clock.after(MASS_FAILURE_MAX_WAIT_MS, () => this.#endWait(checked));
      this.#askSoon();
    }
    if (verdict !== undefined) this.#give(checked, verdict);
  }

  #endWait(checked: Checked): void {
    checked.stopWait?.();
    checked.stopWait = undefined;
    const { judged, newest } = checked;
    if (newest !== undefined) this.#settle(checked, endWait(judged, newest, this.#circumstances(checked)));
  }

  /** The backends that serve in place of those that are held may just have gone. */
  #endHolds(changed: readonly ObjectId[]): void {
    if (this.#heldBack.size === 0) return;
    const services = new Set(changed.map(({ kind, name }) => serviceOfObject(kind, name)));
    for (const checked of [...this.#heldBack]) {
      const { judged, newest, spec } = checked;
      if (newest === undefined || !services.has(spec.service)) continue;
      this.#settle(checked, endHold(judged, newest, this.#circumstances(checked)));
    }
  }

  /** Asks one question for all that wait, again and again while some do. */
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
}
