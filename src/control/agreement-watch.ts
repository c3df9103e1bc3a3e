import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/logger.ts";
import type { Random } from "../runtime/random.ts";
import type { Peers } from "../store/peers.ts";
import { formatRevision } from "../store/revision.ts";
import { type Agreement, type Comparison, differenceText, judgeAgreement } from "./judge-agreement.ts";
import type { Mirror } from "./mirror.ts";
import type { StateDigest } from "./state-digest.ts";

/** How often a differing state is compared with the store, from start to start, give or take a quarter. */
const REPAIR_EVERY_MS = 10_000;

export interface AgreementWatchOptions {
  readonly mirror: Pick<Mirror, "onFold">;
  readonly digest: StateDigest;
  readonly peers: Pick<Peers, "list" | "onChange">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Compares this replica's copy of the store with the store, repairs it, and folds all of it again. */
  readonly repair: () => Promise<void>;
  /** Called when this replica starts or stops holding everything back. */
  readonly onChange: () => void;
}

/**
 * Compares this replica's state with that of its peers at equal revisions. A replica that is not in the majority holds back
 * everything due and takes no new streams until they agree again: proxies get no other state, whichever is right.
 */
export class AgreementWatch {
  readonly #options: AgreementWatchOptions;
  readonly #comparisons = new Map<string, Comparison>();
  readonly #ends: readonly (() => void)[];
  #agreement: Agreement = { kind: "agreed" };
  #since: number | undefined;
  #cancelRepair: (() => void) | undefined;

  constructor(options: AgreementWatchOptions) {
    this.#options = options;
    const check = () => this.#check();
    this.#ends = [options.peers.onChange(check), options.mirror.onFold(check)];
  }

  get agreement(): Agreement {
    return this.#agreement;
  }

  /** Since when replicas differ, in milliseconds since the epoch; undefined while they agree. */
  get since(): number | undefined {
    return this.#since;
  }

  /** Why everything is held back; undefined while this replica is in the majority. */
  get hold(): "state_differs" | "state_divided" | undefined {
    if (this.#agreement.kind === "minority") return "state_differs";
    return this.#agreement.kind === "divided" ? "state_divided" : undefined;
  }

  stop(): void {
    for (const end of this.#ends) end();
    this.#cancelRepair?.();
  }

  #check(): void {
    const { peers, digest } = this.#options;
    const known = peers.list();
    for (const replica of this.#comparisons.keys()) {
      if (!known.some((peer) => peer.replica === replica)) this.#comparisons.delete(replica);
    }
    for (const { replica, position } of known) {
      const own = digest.at(position.revision);
      if (own === undefined || position.digest === undefined) continue;
      this.#comparisons.set(replica, { replica, revision: position.revision, own, other: position.digest });
    }
    const byName = [...this.#comparisons.values()].sort((a, b) => (a.replica < b.replica ? -1 : 1));
    this.#judge(judgeAgreement(byName));
  }

  #judge(agreement: Agreement): void {
    const { clock, log, onChange } = this.#options;
    const before = this.hold;
    const changed = agreement.kind !== this.#agreement.kind;
    this.#agreement = agreement;
    if (!changed) return;
    if (agreement.kind === "agreed") {
      this.#since = undefined;
      log.info({}, "the replicas agree again");
    } else {
      this.#since ??= clock.now();
      const differing = agreement.differing.map(({ replica, revision, own, other }) => {
        return { replica, revision: formatRevision(revision), own, other };
      });
      log.error({ verdict: agreement.kind, differing }, "the replicas differ at the same revision");
    }
    if (this.hold === undefined) this.#cancelRepair?.();
    else if (before === undefined) this.#repair();
    if (this.hold !== before) onChange();
  }

  #repair(): void {
    const { clock, random, log, repair } = this.#options;
    repair().catch((err) => log.warn({ err }, "the state could not be compared with the store"));
    this.#cancelRepair = clock.after(REPAIR_EVERY_MS * (0.75 + random.next() / 2), () => this.#repair());
  }
}

/** What a person on call should know; empty while the replicas agree. */
export function agreementProblem({ agreement, since }: AgreementWatch) {
  if (agreement.kind === "agreed") return [];
  const { kind, differing } = agreement;
  const others = differing.map(({ replica }) => replica).join(", ");
  const consequence = {
    majority: "most replicas agree with this one, which goes on",
    minority: "most replicas hold another state, so this one sends nothing until they agree",
    divided: "no side is the majority, so none sends anything until they agree",
  }[kind];
  return [{ what: `state differs from ${others}`, since, why: `${differenceText(differing)}; ${consequence}` }];
}
