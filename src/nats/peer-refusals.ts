import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/logger.ts";
import type { PeerRefusal, PeerRefusalReason } from "../store/peers.ts";

/** A flood of them is one line a second and reason. */
const LOG_EVERY_MS = 1_000;

/** Counts the messages that are not believed. */
export class PeerRefusals {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #last = new Map<PeerRefusalReason, PeerRefusal>();
  readonly #loggedAt = new Map<PeerRefusalReason, number>();

  constructor({ clock, logger }: { readonly clock: Clock; readonly logger: Logger }) {
    this.#clock = clock;
    this.#logger = logger;
  }

  note(reason: PeerRefusalReason, subject: string): void {
    const count = (this.#last.get(reason)?.count ?? 0) + 1;
    this.#last.set(reason, { reason, count, at: this.#clock.now() });
    const now = this.#clock.monotonic();
    if (now - (this.#loggedAt.get(reason) ?? Number.NEGATIVE_INFINITY) < LOG_EVERY_MS) return;
    this.#loggedAt.set(reason, now);
    this.#logger.warn({ reason, subject, count }, "a message is not believed to come from a replica");
  }

  list(): readonly PeerRefusal[] {
    return [...this.#last.values()];
  }
}
