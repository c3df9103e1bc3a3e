import type { NatsConnection } from "@nats-io/transport-node";

/** Whether there is a server at the other end just now. */
export class Link {
  #isUp = true;

  constructor(connection: NatsConnection) {
    void this.#follow(connection);
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  async #follow(connection: NatsConnection): Promise<void> {
    for await (const { type } of connection.status()) {
      if (type === "disconnect" || type === "close") this.#isUp = false;
      if (type === "reconnect") this.#isUp = true;
    }
  }
}
