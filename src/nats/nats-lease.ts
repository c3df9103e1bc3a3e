import { storeClosed } from "../store/errors.ts";
import { LEASE_CAUSE, type Lease, leaseKey, type Tenure } from "../store/lease.ts";
import type { StateStore } from "../store/state-store.ts";
import { Turns } from "../store/turns.ts";
import { leaseBucket } from "./bucket.ts";
import type { BucketSession } from "./bucket-session.ts";
import { isOwn, LeaseHold } from "./lease-hold.ts";
import { listen } from "./listen.ts";
import { peerRoot } from "./permissions.ts";
import { publishBatch } from "./publish-batch.ts";
import { lastMessage } from "./stream-message.ts";
import { type Subjects, subjectsOf } from "./subjects.ts";

export interface NatsLeaseOptions extends BucketSession {
  readonly state: StateStore;
  readonly ttlMs: number;
  /** Calls back when a new epoch has begun: earlier fencing tokens no longer count, so tenures end. */
  readonly onEpoch: (listener: () => void) => void;
}

/**
 * A key in a bucket whose keys expire when they are not renewed says who holds a role; a key of the state, rewritten with
 * each win, holds the fencing token. The first only keeps others waiting: it is the second that stops a holder that does not
 * know that it lost.
 */
export class NatsLease implements Lease {
  readonly #options: NatsLeaseOptions;
  readonly #subjects: Subjects;
  readonly #holds = new Set<LeaseHold>();
  readonly #stop = new AbortController();
  readonly #turns = new Turns();

  constructor(options: NatsLeaseOptions) {
    this.#options = options;
    this.#subjects = subjectsOf(leaseBucket(options.bucket));
    options.onEpoch(() => {
      for (const hold of this.#holds) void hold.resign();
    });
  }

  async campaign(role: string, signal: AbortSignal): Promise<Tenure> {
    const { logger, random, ttlMs } = this.#options;
    const key = leaseKey(role);
    const either = AbortSignal.any([signal, this.#stop.signal]);
    const id = `${this.#options.replica} ${random.id()}`;
    const leave = await this.#turns.take(role, either);
    try {
      for (;;) {
        either.throwIfAborted();
        const tenure = await this.#tryToWin(role, { id, key }, leave).catch((err: unknown) => {
          logger.debug({ err, role }, "a lease could not be won yet");
        });
        if (tenure !== undefined) return tenure;
        await this.#pause(role, ttlMs * (0.2 + random.next() * 0.1), either);
      }
    } catch (error) {
      leave();
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort(storeClosed());
    await Promise.all([...this.#holds].map((hold) => hold.resign()));
  }

  async #tryToWin(
    role: string,
    { id, key }: { readonly id: string; readonly key: string },
    leave: () => void,
  ): Promise<Tenure | undefined> {
    const { clock, connection, manager } = this.#options;
    const place = { stream: this.#subjects.stream, subject: this.#subjects.state(role) };
    const sentAt = clock.monotonic();
    const last = await lastMessage(manager, place);
    if (last !== undefined && last.data.byteLength > 0) return undefined;
    const write = { subject: place.subject, value: new TextEncoder().encode(id), expected: last?.seq ?? 0 };
    const outcome = await publishBatch(connection, { writes: [write] });
    // When the answer never came, the lease may still be ours.
    const found = outcome.kind === "unknown" ? await lastMessage(manager, place) : undefined;
    const sequence = outcome.kind === "written" ? outcome.sequence : isOwn(found, id) ? found.seq : undefined;
    if (sequence === undefined) return undefined;
    const hint = hintSubject(this.#options.bucket, role);
    const hold = new LeaseHold({ ...this.#options, id, place, sequence, sentAt, hint });
    this.#holds.add(hold);
    hold.ended.addEventListener("abort", () => this.#holds.delete(hold), { once: true });
    try {
      const fencingToken = await this.#moveToken(key, { id, sequence });
      if (hold.ended.aborted) throw new Error("the lease ended before its fencing token was written");
      hold.ended.addEventListener("abort", leave, { once: true });
      return { fencingToken, ended: hold.ended, resign: () => hold.resign() };
    } catch (error) {
      await hold.resign();
      throw connection.isClosed() ? storeClosed() : error;
    }
  }

  /**
   * Shuts out every earlier holder. The token that it writes, the epoch and the lease's own sequence, only grows:
   * a holder that finds a higher one was itself overtaken.
   */
  async #moveToken(key: string, { id, sequence }: { id: string; sequence: number }): Promise<Tenure["fencingToken"]> {
    const { state } = this.#options;
    const { epoch } = await state.barrier();
    const found = await state.get(key);
    if (found !== undefined && !isLater({ epoch, sequence }, found.value)) {
      throw new Error("a later holder has written its fencing token");
    }
    const value = new TextEncoder().encode(`${epoch} ${sequence} ${id}`);
    const guard = found?.revision ?? "absent";
    const { revision } = await state.commit({ ops: [{ op: "put", key, value, guard }], cause: LEASE_CAUSE });
    return { key, revision };
  }

  /** Waits until the time is over, or a holder says that it resigned. */
  async #pause(role: string, pauseMs: number, signal: AbortSignal): Promise<void> {
    const hinted = Promise.withResolvers<void>();
    const { connection, bucket, clock, containment } = this.#options;
    const subscription = listen(connection, hintSubject(bucket, role), { containment, source: "store", max: 1 }, () =>
      hinted.resolve(),
    );
    const enough = new AbortController();
    try {
      await Promise.race([clock.sleep(pauseMs, AbortSignal.any([signal, enough.signal])), hinted.promise]);
    } finally {
      enough.abort();
      if (!subscription.isClosed()) subscription.unsubscribe();
    }
  }
}

function hintSubject(bucket: string, role: string): string {
  return `${peerRoot(bucket)}.lease.${role}`;
}

/** Sequences of different buckets cannot be compared, but state that comes from another bucket begins a new epoch. */
function isLater(token: { epoch: number; sequence: number }, found: Uint8Array): boolean {
  const [epoch, sequence] = new TextDecoder().decode(found).split(" ").map(Number);
  return epoch !== token.epoch || sequence === undefined || token.sequence > sequence;
}
