import type { Socket } from "node:net";
import type { StreamHost } from "./stream-host.ts";

/** Descriptors reserved for the store, the other ports, and probes. */
const RESERVED_DESCRIPTORS = 256;
const LOG_EVERY_MS = 1000;

type Host = Pick<StreamHost, "clock" | "log" | "limits" | "onLimit">;

/**
 * Counts the connections of all listeners. One above the limit is closed at once and counted, and a log entry is written at
 * most once a second; existing ones stay. If the system lets the process open fewer descriptors, the limit is lower: with
 * none left, the system would close new connections on every port without a word.
 */
export class Connections {
  readonly max: number;
  readonly #host: Host;
  #open = 0;
  #refused = 0;
  #loggedAt = Number.NEGATIVE_INFINITY;

  /** @param descriptors How many the system lets the process open, if that is known. */
  constructor(host: Host, descriptors = Number.POSITIVE_INFINITY) {
    const usable = Math.max(descriptors - RESERVED_DESCRIPTORS, Math.ceil(descriptors / 2));
    this.max = Math.min(host.limits.maxConnections, usable);
    this.#host = host;
  }

  /** Returns false when there are too many: then the connection is closed. */
  admit(socket: Socket): boolean {
    if (this.#open >= this.max) {
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
    const { clock, log, onLimit } = this.#host;
    onLimit("maxConnections");
    const now = clock.monotonic();
    if (now - this.#loggedAt < LOG_EVERY_MS) return;
    this.#loggedAt = now;
    const { max } = this;
    const limit = "XdsLimits.maxConnections, or what the system lets the process open";
    log.warn({ refused: this.#refused, max, limit }, "connections refused because there are too many");
    this.#refused = 0;
  }
}
