import { setMaxListeners } from "node:events";
import { isDeepStrictEqual } from "node:util";
import type { Mirror } from "../control/mirror.ts";
import { backendOf, type Kind, type Name } from "../domain/name.ts";
import { workerOf } from "../duties/assign.ts";
import type { Share } from "../duties/follow-assignment.ts";
import type { RecentCheck, RecentChecks } from "../operations/observing/checks.ts";
import type { Finding } from "../operations/observing/finding.ts";
import type { Containment } from "../runtime/containment.ts";
import type { HealthMetrics } from "../runtime/health-metrics.ts";
import type { Machine } from "../runtime/machine.ts";
import type { Assignment } from "../store/keys/assignment-record.ts";
import type { StateStore } from "../store/state-store.ts";
import { BackendJudge, type JudgedBackend } from "./backend-judge.ts";
import { type CheckSpec, checkSpec, isAboutToChange, takeOver } from "./checked-backend.ts";
import { ProbeSchedule } from "./probe-schedule.ts";
import type { SecondOpinion } from "./second-opinion.ts";
import type { Prober } from "./socket-prober.ts";
import type { CheckAge } from "./stale-checks.ts";
import { VerdictWriter } from "./verdict-writer.ts";

/** The most connections of checks at a time. */
const MAX_CONNECTIONS = 1024;
/** While more backends than this, and more than this share of all, are about to change, none is checked faster. */
const MAX_HURRIED = 100;
const MAX_HURRIED_RATIO = 0.1;
/** How many checks of each backend are kept, for people. */
const RECENT_CHECKS = 5;

export interface HealthWorkerOptions extends Machine {
  readonly name: string;
  readonly mirror: Mirror;
  readonly store: Pick<StateStore, "commit" | "now">;
  readonly prober: Prober;
  readonly metrics: HealthMetrics;
  readonly secondOpinion: SecondOpinion;
  readonly containment: Pick<Containment, "note">;
}

interface Checked extends JudgedBackend {
  /** By the monotonic clock: when the newest check that said something ended; before the first, when the watch began. */
  seenAt: number;
  /** It was checked faster, and has not had a phase of its own since. */
  unphased: boolean;
  readonly remove: () => void;
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
  readonly #schedule: ProbeSchedule;
  readonly #judge: BackendJudge;
  readonly #writer: VerdictWriter;
  readonly #stop = new AbortController();
  readonly #stopFolds: () => void;
  /** The backends whose checks may differ after a change of an object; other kinds of objects change no checks. */
  readonly #touched: { readonly [K in Kind]?: (name: Name) => Iterable<Name> } = {
    backend: (name) => [name],
    service: (name) => namesOf(this.#options.mirror.backendsOf(name)),
    policy: () => namesOf(this.#options.mirror.all("backend")),
    health: (name) => {
      this.#forgetRemovedVerdict(name);
      return [];
    },
  };
  #share: Share | undefined;

  constructor(options: HealthWorkerOptions) {
    this.#options = options;
    const { clock, metrics, mirror } = options;
    setMaxListeners(0, this.#stop.signal);
    this.#schedule = new ProbeSchedule({
      clock,
      maxRunning: MAX_CONNECTIONS,
      onStart: (delayMs) => metrics.delay.observe(delayMs / 1000),
    });
    this.#writer = new VerdictWriter({
      ...options,
      observer: options.name,
      fencingToken: () => this.#share?.fencingToken,
      onFenced: () => this.setShare(undefined),
    });
    this.#judge = new BackendJudge({
      ...options,
      watched: () => this.#checked.size,
      give: (backend, verdict) =>
        this.#writer.give(backend.spec, verdict, () => this.#checked.get(backend.spec.backend) === backend),
    });
    this.#stopFolds = mirror.onFold(({ changed }) => {
      const touched = new Set<Name>();
      for (const { kind, name } of changed) for (const one of this.#touched[kind]?.(name) ?? []) touched.add(one);
      this.#refresh(touched);
      this.#judge.endHolds(changed);
    });
  }

  /** How many backends it checks. */
  get watched(): number {
    return this.#checked.size;
  }

  /** Takes over a share, or gives up all. It keeps what it already has, unless another may have had it in between. */
  setShare(share: Share | undefined): void {
    const { log, mirror } = this.#options;
    if (share === undefined && this.#share !== undefined) log.warn({}, "this replica has lost its share of the checks");
    const rounds = (share?.assignment.round ?? 0) - (this.#share?.assignment.round ?? 0);
    if (rounds !== 0 && rounds !== 1) for (const name of this.#checked.keys()) this.#drop(name);
    this.#share = share;
    this.#refresh(new Set([...this.#checked.keys(), ...namesOf(mirror.all("backend"))]));
  }

  /** The share that it has. */
  get assignment(): Assignment | undefined {
    return this.#share?.assignment;
  }

  findings(): readonly Finding[] {
    return this.#judge.findings();
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

  /** Begins, changes or ends the checks of these backends as needed. A change begins anew from the stored verdict. */
  #refresh(backends: ReadonlySet<Name>): void {
    const { mirror, name: own } = this.#options;
    const fresh: CheckSpec[] = [];
    for (const name of backends) {
      const known = this.#checked.get(name);
      const isMine = this.#share !== undefined && workerOf(name, this.#share.assignment) === own;
      const spec = isMine ? checkSpec(mirror, name) : undefined;
      if (known !== undefined && spec !== undefined && isDeepStrictEqual(known.spec, spec)) continue;
      this.#drop(name);
      if (spec !== undefined) fresh.push(spec);
    }
    for (const spec of fresh) this.#watch(spec, fresh.length);
  }

  #watch(spec: CheckSpec, together: number): void {
    const { mirror, clock, random, containment } = this.#options;
    const judged = takeOver(mirror, spec);
    // A proven backend gets a random phase within its interval; new ones are checked soon, but not all of them at once.
    const withinMs = judged.given === undefined ? Math.min(spec.check.intervalMs, together) : spec.check.intervalMs;
    const remove = this.#schedule.add(
      {
        // The schedule goes on, whatever comes of one check.
        run: () =>
          this.#check(checked).catch((thrown: unknown) => {
            if (!this.#stop.signal.aborted) containment.note("probe", spec.backend, thrown);
          }),
        intervalMs: () => this.#intervalMs(checked),
      },
      random.next() * withinMs,
    );
    const checked: Checked = {
      spec,
      judged,
      newest: undefined,
      seenAt: clock.monotonic(),
      unphased: isAboutToChange(judged),
      remove,
      recent: [],
    };
    this.#checked.set(spec.backend, checked);
    this.#judge.add(checked);
  }

  #drop(name: Name): void {
    const checked = this.#checked.get(name);
    if (checked === undefined) return;
    checked.remove();
    this.#judge.forget(checked);
    this.#checked.delete(name);
  }

  #forgetRemovedVerdict(name: Name): void {
    const { mirror } = this.#options;
    if (!name.endsWith("/prober") || mirror.get("health", name) !== undefined) return;
    const checked = this.#checked.get(backendOf(name));
    if (checked !== undefined) this.#judge.beginAnew(checked);
  }

  /** Called after each check. */
  #intervalMs(checked: Checked): number {
    const { random } = this.#options;
    const { check } = checked.spec;
    const { changing } = this.#judge;
    const isChanging = changing.has(checked);
    if (!isChanging && checked.unphased) {
      // Backends that came together, or changed together, get phases of their own again.
      checked.unphased = false;
      return check.intervalMs * random.next();
    }
    checked.unphased = isChanging;
    const calm = changing.size <= Math.max(MAX_HURRIED, MAX_HURRIED_RATIO * this.#checked.size);
    const full = isChanging && calm ? check.changingIntervalMs : check.intervalMs;
    return full * (1 - check.jitterRatio * random.next());
  }

  async #check(checked: Checked): Promise<void> {
    const { prober, metrics, clock, store } = this.#options;
    const { backend, service, target, check } = checked.spec;
    const observation = await prober.probe(target, check, this.#stop.signal);
    if (this.#checked.get(backend) !== checked) return;
    if (observation === undefined) {
      metrics.unable.inc();
      return;
    }
    const { outcome, reason, durationMs } = observation;
    metrics.probes.inc(service, outcome);
    metrics.probeTime.observe(durationMs / 1000);
    checked.seenAt = clock.monotonic();
    checked.recent = [{ at: store.now(), outcome, reason, durationMs }, ...checked.recent.slice(0, RECENT_CHECKS - 1)];
    this.#judge.observe(checked, observation);
  }
}

function namesOf(objects: Iterable<{ readonly name: Name }>): readonly Name[] {
  return Array.from(objects, ({ name }) => name);
}
