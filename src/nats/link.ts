import type { NatsConnection } from "@nats-io/transport-node";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/logger.ts";
import { permissionViolation } from "./failure.ts";

/** What the connection reports: whether a server is at the other end just now, and what it forbade. */
export class Link {
  readonly #options: { readonly clock: Clock; readonly logger: Logger };
  readonly #refused = new Set<string>();
  #downSince: number | undefined;

  constructor(connection: NatsConnection, options: { readonly clock: Clock; readonly logger: Logger }) {
    this.#options = options;
    void this.#follow(connection);
  }

  get isUp(): boolean {
    return this.#downSince === undefined;
  }

  /** Monotonic milliseconds; undefined while there is a server. */
  get downSince(): number | undefined {
    return this.#downSince;
  }

  /** `publish SUBJECT` or `subscribe SUBJECT` for everything that the server has forbidden so far. */
  get refused(): ReadonlySet<string> {
    return this.#refused;
  }

  async #follow(connection: NatsConnection): Promise<void> {
    const { clock, logger } = this.#options;
    for await (const event of connection.status()) {
      if (event.type === "disconnect" || event.type === "close") {
        this.#downSince ??= clock.monotonic();
        logger.warn({}, "no NATS server is connected");
      }
      if (event.type === "reconnect") {
        this.#downSince = undefined;
        logger.info({ server: connection.getServer() }, "connected to NATS again");
      }
      const violation = event.type === "error" ? permissionViolation(event.error) : undefined;
      if (violation === undefined) continue;
      this.#refused.add(`${violation.operation === "publish" ? "publish" : "subscribe"} ${violation.subject}`);
      logger.warn({ err: violation }, "the NATS server denied a permission");
    }
  }
}
