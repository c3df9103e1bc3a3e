import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/logger.ts";
import { nextTurn } from "../runtime/next-turn.ts";
import type { RefusedMessages, RefusedReason } from "../store/peers.ts";

/** A flood of refused messages is logged once a second for each reason. */
const LOG_EVERY_MS = 1_000;
/** The client delivers all that has arrived in one turn of the event loop, which may be tens of thousands of messages. */
const MAX_IN_A_TURN = 500;

/** Counts the messages that are not believed. */
export class RefusedPeerMessages {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #last = new Map<RefusedReason, RefusedMessages>();
  #inThisTurn = 0;
  readonly #loggedAt = new Map<RefusedReason, number>();

  constructor({ clock, logger }: { readonly clock: Clock; readonly logger: Logger }) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Whether so many messages of this turn were refused that the rest of it must be ignored, whoever sent it. */
  get isFlooded(): boolean {
    return this.#inThisTurn >= MAX_IN_A_TURN;
  }

  note(reason: RefusedReason, subject: string): void {
    if (this.#inThisTurn++ === 0) {
      nextTurn(() => {
        this.#inThisTurn = 0;
      });
    }
    const count = (this.#last.get(reason)?.count ?? 0) + 1;
    this.#last.set(reason, { reason, count, at: this.#clock.now() });
    const now = this.#clock.monotonic();
    if (now - (this.#loggedAt.get(reason) ?? Number.NEGATIVE_INFINITY) < LOG_EVERY_MS) return;
    this.#loggedAt.set(reason, now);
    this.#logger.warn({ reason, subject, count }, "a message that claims to come from a replica was refused");
  }

  list(): readonly RefusedMessages[] {
    return [...this.#last.values()];
  }
}
