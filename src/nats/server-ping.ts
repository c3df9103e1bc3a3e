import type { NatsConnection } from "@nats-io/transport-node";
import type { BucketSession } from "./bucket-session.ts";

/** How long a server may take to answer. */
export const SERVER_PATIENCE_MS = 1_000;

export interface ServerPingOptions extends Pick<BucketSession, "clock" | "logger"> {
  readonly connection: Pick<NatsConnection, "flush" | "reconnect" | "getServer">;
}

interface Question {
  /** True while it is neither answered nor lost with the connection. */
  isOpen: boolean;
  /** Resolves when it is answered or lost, or when patience ends. */
  readonly isDue: Promise<void>;
}

/**
 * Finds out whether the server of a connection still answers. A server that hangs, or is cut off, keeps its connections;
 * the client's own pings would find out only much later.
 */
export class ServerPing {
  readonly #options: ServerPingOptions;
  #question: Question | undefined;

  constructor(options: ServerPingOptions) {
    this.#options = options;
  }

  /** Sends a ping, unless an earlier one has not been judged yet. */
  ask(): void {
    this.#question ??= this.#ask();
  }

  /** Drops the pending ping: all is well. */
  forget(): void {
    this.#question = undefined;
  }

  /**
   * Judges the pending ping, if any, once its patience has ended, and makes the connection look for another server if it was
   * not answered. Returns whether it did: requests may be lost until there is a connection again.
   */
  async leaveDeaf(): Promise<boolean> {
    const { connection, logger } = this.#options;
    const question = this.#question;
    await question?.isDue;
    this.forget();
    if (question?.isOpen !== true) return false;
    logger.warn({ server: connection.getServer() }, "the NATS server does not answer; trying another");
    await connection.reconnect();
    return true;
  }

  #ask(): Question {
    const { connection, clock } = this.#options;
    const end = () => {
      question.isOpen = false;
    };
    const ended = connection.flush().then(end, end);
    const question: Question = { isOpen: true, isDue: Promise.race([ended, clock.sleep(SERVER_PATIENCE_MS)]) };
    return question;
  }
}
