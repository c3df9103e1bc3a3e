import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/logger.ts";
import type { Peer, Peers } from "../store/peers.ts";
import { formatRevision, type Revision, reached } from "../store/revision.ts";
import type { Mirror } from "./mirror.ts";

/** A replica whose peers have been ahead of it for this long sends its proxies to them. */
export const AHEAD_MS = 10_000;

/** A revision that this replica has not reached, and since when, by the monotonic clock. */
export interface Lag {
  readonly target: Revision;
  readonly since: number;
}

/** Tracks how far ahead the live peers are. Reaching the target ends the lag; the next revision may start another. */
export function followLag(
  lag: Lag | undefined,
  { own, peers, now }: { readonly own: Revision; readonly peers: readonly Peer[]; readonly now: number },
): Lag | undefined {
  const ahead = peers
    .filter(({ status, position }) => status === "live" && !reached(own, position.revision))
    .map(({ position }) => position.revision)
    .reduce<Revision | undefined>((a, b) => (a === undefined || reached(b, a) ? b : a), undefined);
  if (ahead === undefined) return undefined;
  return lag === undefined || reached(own, lag.target) ? { target: ahead, since: now } : lag;
}

export interface BehindWatchOptions {
  readonly mirror: Pick<Mirror, "revision" | "onFold">;
  readonly peers: Pick<Peers, "list" | "onChange">;
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether the store itself is unreachable or went back: then being behind is no reason to send proxies away. */
  readonly isStoreAway: () => boolean;
  /** Resolves once all that the log holds is folded; rejects when it cannot be read, or takes too long. */
  readonly catchUp: () => Promise<void>;
  /** Called once when this replica has been behind for too long. */
  readonly onBehind: () => void;
}

/**
 * Notices that this replica has fallen behind its peers for good, although they are heard and serve something newer. Their
 * word alone is not enough: a replica that has folded everything in the log is not behind, whatever it is told.
 */
export class BehindWatch {
  readonly #options: BehindWatchOptions;
  readonly #ends: readonly (() => void)[];
  #lag: Lag | undefined;
  #behind = false;
  #isChecking = false;
  #isStopped = false;

  constructor(options: BehindWatchOptions) {
    this.#options = options;
    const check = () => this.#check();
    this.#ends = [options.peers.onChange(check), options.mirror.onFold(check)];
  }

  /** Whether other replicas serve proxies better. */
  get isBehind(): boolean {
    return this.#behind;
  }

  stop(): void {
    this.#isStopped = true;
    for (const end of this.#ends) end();
  }

  #check(): void {
    const { mirror, peers, clock, log, isStoreAway } = this.#options;
    const now = clock.monotonic();
    const own = mirror.revision;
    this.#lag = isStoreAway() ? undefined : followLag(this.#lag, { own, peers: peers.list(), now });
    const isOverdue = this.#lag !== undefined && now - this.#lag.since >= AHEAD_MS;
    if (this.#behind && !isOverdue) {
      this.#behind = false;
      log.info({ revision: formatRevision(own) }, "caught up with the other replicas");
    } else if (!this.#behind && isOverdue && !this.#isChecking) void this.#askTheLog();
  }

  async #askTheLog(): Promise<void> {
    const { mirror, clock, log, isStoreAway, catchUp, onBehind } = this.#options;
    this.#isChecking = true;
    const isCaughtUp = await catchUp().then(
      () => true,
      () => false,
    );
    this.#isChecking = false;
    const lag = this.#lag;
    if (this.#isStopped || lag === undefined || isStoreAway() || reached(mirror.revision, lag.target)) return;
    const target = formatRevision(lag.target);
    const revision = formatRevision(mirror.revision);
    if (isCaughtUp) {
      // Checked again once it is overdue again.
      this.#lag = { ...lag, since: clock.monotonic() };
      log.warn({ revision, target }, "another replica reports a revision that the log does not hold; it is ignored");
      return;
    }
    this.#behind = true;
    log.error({ revision, target }, "behind the other replicas for too long: proxies are sent to them");
    onBehind();
  }
}
