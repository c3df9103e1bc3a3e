import type { Socket } from "node:net";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/logger.ts";

/** Descriptors reserved for the store, the other ports, and probes. */
const RESERVED_DESCRIPTORS = 256;
const LOG_EVERY_MS = 1000;

/**
 * Counts the connections of all listeners. One above the limit is closed at once and counted, and a log entry is written at
 * most once a second; existing ones stay. If the system lets the process open fewer descriptors, the limit is lower: with
 * none left, the system would close new connections on every port without a word.
 */
export class Connections {
  readonly #max: number;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #onLimit: () => void;
  #open = 0;
  #refused = 0;
  #loggedAt = Number.NEGATIVE_INFINITY;

  constructor(options: {
    readonly max: number;
    readonly descriptors: number | undefined;
    readonly clock: Clock;
    readonly log: Logger;
    readonly onLimit: () => void;
  }) {
    const { max, descriptors = Number.POSITIVE_INFINITY } = options;
    this.#max = Math.min(max, Math.max(descriptors - RESERVED_DESCRIPTORS, Math.ceil(descriptors / 2)));
    this.#clock = options.clock;
    this.#log = options.log;
    this.#onLimit = options.onLimit;
  }

  get max(): number {
    return this.#max;
  }

  /** Returns false when there are too many: then the connection is closed. */
  admit(socket: Socket): boolean {
    if (this.#open >= this.#max) {
      socket.destroy();
      this.#refuse();
      return false;
    }
    this.#open++;
    socket.once("close", () => this.#open--);
    return true;
  }

  #refuse(): void {
    this.#refused++;
    this.#onLimit();
    const now = this.#clock.monotonic();
    if (now - this.#loggedAt < LOG_EVERY_MS) return;
    this.#loggedAt = now;
    const { max } = this;
    const limit = "XdsLimits.maxConnections, or what the system lets the process open";
    this.#log.warn({ refused: this.#refused, max, limit }, "connections are refused: there are too many");
    this.#refused = 0;
  }
}
