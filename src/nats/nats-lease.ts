import type { StoredMsg } from "@nats-io/jetstream";
import { storeClosed } from "../store/errors.ts";
import { LEASE_CAUSE, type Lease, leaseKey, type Tenure } from "../store/lease.ts";
import type { StateStore } from "../store/state-store.ts";
import { Turns } from "../store/turns.ts";
import { leaseBucket } from "./bucket.ts";
import type { BucketSession } from "./bucket-session.ts";
import { listen } from "./listen.ts";
import { peerRoot } from "./permissions.ts";
import { publishBatch } from "./publish-batch.ts";
import { lastMessage } from "./stream-message.ts";
import { type Subjects, subjectsOf } from "./subjects.ts";

export interface NatsLeaseOptions extends BucketSession {
  readonly state: StateStore;
  readonly ttlMs: number;
  /** Calls back when a new epoch has begun: fences of the previous one no longer hold, so tenures end. */
  readonly onEpoch: (listener: () => void) => void;
}

/**
 * A key in a bucket whose keys expire when they are not renewed says who holds a role; a key of the state, rewritten with each
 * win, is the fence. The first only keeps others waiting: it is the second that stops a holder that does not know that it
 * lost.
 */
export class NatsLease implements Lease {
  readonly #options: NatsLeaseOptions;
  readonly #subjects: Subjects;
  readonly #tenures = new Set<NatsTenure>();
  readonly #stop = new AbortController();
  readonly #turns = new Turns();

  constructor(options: NatsLeaseOptions) {
    this.#options = options;
    this.#subjects = subjectsOf(leaseBucket(options.bucket));
    options.onEpoch(() => {
      for (const tenure of this.#tenures) void tenure.resign();
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
        const tenure = await this.#tryToWin(role, { id, key }).catch((err: unknown) => {
          logger.debug({ err, role }, "campaign failed");
        });
        if (tenure !== undefined) {
          tenure.ended.addEventListener("abort", leave, { once: true });
          if (tenure.ended.aborted) leave();
          return tenure;
        }
        await this.#pause(role, ttlMs * (0.2 + random.next() * 0.1), either);
      }
    } catch (error) {
      leave();
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort(storeClosed());
    await Promise.all([...this.#tenures].map((tenure) => tenure.resign()));
  }

  async #tryToWin(role: string, { id, key }: { id: string; key: string }): Promise<NatsTenure | undefined> {
    const { clock, connection, manager } = this.#options;
    const subject = this.#subjects.state(role);
    const place = { stream: this.#subjects.stream, subject };
    const sentAt = clock.monotonic();
    const last = await lastMessage(manager, place);
    if (last !== undefined && last.data.byteLength > 0) return undefined;
    const write = { subject, value: new TextEncoder().encode(id), expected: last?.seq ?? 0 };
    const outcome = await publishBatch(connection, { id: "", hidden: 0, writes: [write] });
    // When the answer never came, the lease may still be ours.
    const found = outcome.kind === "unknown" ? await lastMessage(manager, place) : undefined;
    const sequence = outcome.kind === "written" ? outcome.sequence : isOwn(found, id) ? found.seq : undefined;
    if (sequence === undefined) return undefined;
    const tenure = new NatsTenure({
      ...this.#options,
      id,
      place,
      sequence,
      sentAt,
      hint: hintSubject(this.#options.bucket, role),
      onEnd: () => this.#tenures.delete(tenure),
    });
    this.#tenures.add(tenure);
    try {
      await tenure.moveFence(key);
      return tenure;
    } catch (error) {
      await tenure.resign();
      throw connection.isClosed() ? storeClosed() : error;
    }
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

interface TenureOptions extends NatsLeaseOptions {
  readonly id: string;
  readonly place: { readonly stream: string; readonly subject: string };
  readonly sequence: number;
  /** Monotonic time just before the winning request was sent, so this side's deadline is always the earlier one. */
  readonly sentAt: number;
  readonly hint: string;
  readonly onEnd: () => void;
}

class NatsTenure implements Tenure {
  readonly #options: TenureOptions;
  readonly #end = new AbortController();
  readonly #marginMs: number;
  #fence: Tenure["fence"] | undefined;
  #sequence: number;
  #cancelDeadline: () => void = () => {};
  #cancelRenewal: () => void = () => {};

  constructor(options: TenureOptions) {
    this.#options = options;
    this.#sequence = options.sequence;
    this.#marginMs = Math.max(options.ttlMs / 10, Math.min(1_500, options.ttlMs / 4));
    this.#renewed(options.sentAt);
  }

  get fence(): Tenure["fence"] {
    if (this.#fence === undefined) throw new Error("a tenure without a fence");
    return this.#fence;
  }

  get ended(): AbortSignal {
    return this.#end.signal;
  }

  /**
   * Shuts out every earlier holder. The token that it writes, the epoch and the lease's own sequence, only grows:
   * a holder that finds a higher one was itself overtaken.
   */
  async moveFence(key: string): Promise<void> {
    const { id, sequence, state } = this.#options;
    const { epoch } = await state.barrier();
    const found = await state.get(key);
    if (found !== undefined && !isLater({ epoch, sequence }, found.value))
      throw new Error("a later holder has moved the fence");
    const value = new TextEncoder().encode(`${epoch} ${sequence} ${id}`);
    const { revision } = await state.commit({
      ops: [{ op: "put", key, value, guard: found?.revision ?? "absent" }],
      cause: LEASE_CAUSE,
    });
    if (this.#end.signal.aborted) throw new Error("the lease ended before its fence was moved");
    this.#fence = { key, revision };
  }

  async resign(): Promise<void> {
    if (this.#end.signal.aborted) return;
    this.#finish("resigned");
    const { connection, place, hint } = this.#options;
    // An empty value means free. The key stays, so its sequences keep growing.
    const write = { subject: place.subject, value: new Uint8Array(), expected: this.#sequence };
    await publishBatch(connection, { id: "", hidden: 0, writes: [write] }).catch(() => undefined);
    if (!connection.isClosed()) connection.publish(hint);
  }

  #renewed(sentAt: number): void {
    const { clock, ttlMs } = this.#options;
    this.#cancelDeadline();
    const remainingMs = sentAt + ttlMs - this.#marginMs - clock.monotonic();
    this.#cancelDeadline = clock.after(Math.max(0, remainingMs), () => this.#finish("not renewed in time"));
    this.#cancelRenewal = clock.after(ttlMs / 4, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const { clock, connection, manager, place, id, ttlMs, logger } = this.#options;
    const sentAt = clock.monotonic();
    const value = new TextEncoder().encode(id);
    try {
      const writes = [{ subject: place.subject, value, expected: this.#sequence }];
      const outcome = await publishBatch(connection, { id: "", hidden: 0, writes, timeoutMs: ttlMs / 8 });
      if (this.#end.signal.aborted) return;
      if (outcome.kind === "written") {
        this.#sequence = outcome.sequence;
        this.#renewed(sentAt);
        return;
      }
      const last = await lastMessage(manager, place);
      if (this.#end.signal.aborted) return;
      if (!isOwn(last, id)) {
        this.#finish("taken by another");
        return;
      }
      this.#sequence = last.seq;
    } catch (err) {
      logger.debug({ err, subject: place.subject }, "lease could not be renewed yet");
    }
    if (!this.#end.signal.aborted) this.#cancelRenewal = clock.after(ttlMs / 16, () => void this.#renew());
  }

  #finish(why: string): void {
    if (this.#end.signal.aborted) return;
    this.#cancelDeadline();
    this.#cancelRenewal();
    this.#end.abort(new Error(why));
    this.#options.onEnd();
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

function isOwn(message: StoredMsg | undefined, id: string): message is StoredMsg {
  return message?.string() === id;
}
