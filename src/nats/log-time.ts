import type { Clock } from "../runtime/clock.ts";
import { StoreTime } from "../store/store-time.ts";
import type { BucketMessage } from "./batch-assembler.ts";

/**
 * Time according to a bucket's log: the server's, which stamps each message, and the store's, which each tick states.
 * So all replicas share one store time, even those that start while a server's clock is wrong.
 */
export class LogTime {
  readonly #clock: Clock;
  /** The server's time, and this machine's when it was heard. */
  #server: { readonly at: number; readonly monotonic: number } | undefined;
  /** The store's time as last stated, and the server's time then. */
  #stated: { readonly time: number; readonly at: number } | undefined;
  #newestAt = 0;
  #store: StoreTime | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param isLive The message was written just now, so its stamp is the present. */
  take({ at, time }: Pick<BucketMessage, "at" | "time">, isLive: boolean): void {
    if (isLive) {
      this.#server = { at, monotonic: this.#clock.monotonic() };
      const awayMs = this.#stated === undefined ? 0 : Math.max(0, at - this.#stated.at);
      const from = this.#stated === undefined ? Math.max(this.#newestAt, at) : this.#stated.time + awayMs;
      this.#store ??= new StoreTime({ clock: this.#clock, followed: () => this.serverNow(), from });
    }
    this.#newestAt = Math.max(this.#newestAt, at);
    if (time === undefined) return;
    this.#stated = { time, at };
    this.#store?.hear(time);
  }

  /** The server's clock, in milliseconds since the epoch; this machine's until a message was heard. */
  serverNow(): number {
    if (this.#server === undefined) return this.#clock.now();
    return this.#server.at + this.#clock.monotonic() - this.#server.monotonic;
  }

  /** The store's clock. */
  now(): number {
    return this.known() ?? Math.max(Math.floor(this.serverNow()), this.#newestAt);
  }

  /** The same, but undefined until it is certain: what a tick may state. */
  known(): number | undefined {
    return this.#store?.now();
  }
}
