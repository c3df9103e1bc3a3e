import type { Msg, NatsConnection, Subscription } from "@nats-io/transport-node";
import type { Containment, InputSource } from "../runtime/containment.ts";

export interface ListenOptions {
  readonly containment: Containment;
  readonly source: InputSource;
  /** Once so many messages have come, the subscription ends. */
  readonly max?: number;
}

/**
 * Subscribes. Every subscription of the plane is made here: what a callback throws would end the client's only reader, so
 * that the connection stays up and nothing is heard on it any more, no answer to a write either, until it is dialled anew.
 */
export function listen(
  connection: NatsConnection,
  subject: string,
  { containment, source, max }: ListenOptions,
  take: (error: Error | null, message: Msg) => unknown,
): Subscription {
  const input = `message on ${subject}`;
  return connection.subscribe(subject, {
    ...(max !== undefined && { max }),
    callback: (error, message) => containment.contain(source, input, () => take(error, message)),
  });
}
