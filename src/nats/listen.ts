import type { Msg, NatsConnection, Subscription } from "@nats-io/transport-node";
import type { Containment, InputSource } from "../runtime/containment.ts";

/**
 * Subscribes. Every subscription of which the plane reads messages is made here: an exception in a callback would end the
 * client's only reader; the connection would stay up, but hear nothing any more, not even answers to writes, until it is
 * dialled again.
 *
 * @param options.max The subscription ends after this many messages.
 */
export function listen(
  connection: NatsConnection,
  subject: string,
  { containment, source, max }: { containment: Containment; source: InputSource; max?: number },
  take: (error: Error | null, message: Msg) => unknown,
): Subscription {
  const input = `message on ${subject}`;
  return connection.subscribe(subject, {
    ...(max !== undefined && { max }),
    callback: (error, message) => containment.contain(source, input, () => take(error, message)),
  });
}
