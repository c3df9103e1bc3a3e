import type { StoredMsg } from "@nats-io/jetstream";
import type { BucketSession } from "./bucket-session.ts";
import { publishBatch } from "./publish-batch.ts";
import { lastMessage } from "./stream-message.ts";

export interface LeaseHoldOptions extends BucketSession {
  readonly ttlMs: number;
  /** Names the holder: what the lease's key holds. */
  readonly id: string;
  /** Where the lease's key is. */
  readonly place: { readonly stream: string; readonly subject: string };
  /** Sequence of the message with which it was won. */
  readonly sequence: number;
  /** Monotonic time just before the winning request was sent, so this side's deadline is always the earlier one. */
  readonly sentAt: number;
  /** Subject on which others are told that it is free. */
  readonly hint: string;
}

/** A lease that was won: renews it until it is resigned or lost. */
export class LeaseHold {
  readonly #options: LeaseHoldOptions;
  readonly #end = new AbortController();
  readonly #marginMs: number;
  #sequence: number;
  #cancelDeadline: () => void = () => {};
  #cancelRenewal: () => void = () => {};

  constructor(options: LeaseHoldOptions) {
    this.#options = options;
    this.#sequence = options.sequence;
    this.#marginMs = Math.max(options.ttlMs / 10, Math.min(1_500, options.ttlMs / 4));
    this.#renewed(options.sentAt);
  }

  /** Aborted when the lease is resigned or lost, or was not renewed in time, which is before anybody else can win it. */
  get ended(): AbortSignal {
    return this.#end.signal;
  }

  async resign(): Promise<void> {
    if (this.#end.signal.aborted) return;
    this.#finish("resigned");
    const { connection, place, hint } = this.#options;
    // An empty value means free. The key stays, so its sequences keep growing.
    const write = { subject: place.subject, value: new Uint8Array(), expected: this.#sequence };
    await publishBatch(connection, { writes: [write] }).catch(() => undefined);
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
      const outcome = await publishBatch(connection, { writes, timeoutMs: ttlMs / 8 });
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
      logger.debug({ err, subject: place.subject }, "the lease could not be renewed; trying again");
    }
    if (!this.#end.signal.aborted) this.#cancelRenewal = clock.after(ttlMs / 16, () => void this.#renew());
  }

  #finish(why: string): void {
    if (this.#end.signal.aborted) return;
    this.#cancelDeadline();
    this.#cancelRenewal();
    this.#end.abort(new Error(why));
  }
}

/** Whether a lease's newest message is this holder's. */
export function isOwn(message: StoredMsg | undefined, id: string): message is StoredMsg {
  return message?.string() === id;
}
