import { type Name, serviceOf } from "../domain/name.ts";
import type { State } from "../domain/state.ts";
import { workerOf } from "../duties/assign.ts";
import { type AllChecks, type RecentChecks, type StaleService, staleText } from "../operations/observing/checks.ts";
import type { Finding } from "../operations/observing/finding.ts";
import type { Clock } from "../runtime/clock.ts";
import { repeat } from "../runtime/repeat.ts";
import type { Peers } from "../store/peers.ts";
import type { HealthWorker } from "./health-worker.ts";
import { encodeJson } from "./peer-json.ts";
import { type CheckAge, mergeStale, staleServices } from "./stale-checks.ts";
import { readRecent, readStale } from "./told-checks.ts";

const STALE_TOPIC = "health-stale";
const RECENT_TOPIC = "health-recent";
/** How often the others are asked what is stale in their shares. */
const ASK_EVERY_MS = 2000;
const ANSWER_WITHIN_MS = 1000;

export interface SharedChecksOptions {
  readonly name: string;
  readonly worker: Pick<HealthWorker, "ages" | "recent" | "findings" | "assignment">;
  readonly state: State;
  readonly peers: Peers;
  readonly clock: Clock;
}

/**
 * The state of the checks of all replicas: each knows its own share, and answers the others. The share of one that has
 * fallen silent counts as unchecked from then on.
 */
export class SharedChecks implements AllChecks {
  readonly #options: SharedChecksOptions;
  readonly #ends: readonly (() => void)[];
  #ofPeers: readonly (readonly (readonly [Name, StaleService])[])[] = [];

  constructor(options: SharedChecksOptions) {
    this.#options = options;
    const { peers, worker, clock } = options;
    this.#ends = [
      peers.answer(STALE_TOPIC, async () => encodeJson([...staleServices(worker.ages(), clock.now())])),
      peers.answer(RECENT_TOPIC, async (backend) =>
        encodeJson(worker.recent(new TextDecoder().decode(backend)) ?? null),
      ),
      repeat(
        clock,
        () => ASK_EVERY_MS,
        () => this.#askForStale(),
      ),
    ];
  }

  findings(): readonly Finding[] {
    const stale = [...this.stale()].map(([service, found]) => ({
      what: `service ${service}: checks stale`,
      since: found.since,
      why: staleText(found),
    }));
    return [...stale, ...this.#options.worker.findings()];
  }

  stale(): ReadonlyMap<Name, StaleService> {
    const { worker, clock } = this.#options;
    const now = clock.now();
    return mergeStale([staleServices(worker.ages(), now), staleServices(this.#orphaned(), now), ...this.#ofPeers]);
  }

  async recent(backend: Name): Promise<RecentChecks | undefined> {
    const own = this.#options.worker.recent(backend);
    if (own !== undefined) return own;
    const answers = await this.#ask(RECENT_TOPIC, new TextEncoder().encode(backend));
    const now = this.#options.clock.now();
    return answers.flatMap(({ replica, answer }) => readRecent(answer, replica, now) ?? [])[0];
  }

  stop(): void {
    for (const end of this.#ends) end();
  }

  /** Backends of workers that are silent and have not been relieved yet. */
  *#orphaned(): Iterable<CheckAge> {
    const { name, worker, state, peers, clock } = this.#options;
    const { assignment } = worker;
    if (assignment === undefined) return;
    const silent = new Map(
      peers.list().flatMap(({ replica, status, heardAt }) => (status === "live" ? [] : [[replica, heardAt] as const])),
    );
    if (!assignment.workers.some((each) => each !== name && silent.has(each))) return;
    for (const backend of state.all("backend")) {
      const service = serviceOf(backend.name);
      const check = state.get("service", service)?.healthCheck;
      const heardAt = silent.get(workerOf(backend.name, assignment) ?? "");
      if (check === undefined || heardAt === undefined) continue;
      yield { service, intervalMs: check.intervalMs, ageMs: clock.monotonic() - heardAt };
    }
  }

  async #askForStale(): Promise<void> {
    const { state, clock } = this.#options;
    // Replicas that could not be asked give no answer: what is stale there shows by their silence.
    const answers = await this.#ask(STALE_TOPIC, new Uint8Array()).catch(() => []);
    this.#ofPeers = answers.map(({ answer }) =>
      readStale(answer, clock.now()).filter(([service]) => state.get("service", service) !== undefined),
    );
  }

  async #ask(topic: string, question: Uint8Array) {
    const answers = await this.#options.peers.ask(topic, question, { timeoutMs: ANSWER_WITHIN_MS });
    return answers.flatMap(({ replica, answer }) => (answer === undefined ? [] : { replica, answer }));
  }
}
