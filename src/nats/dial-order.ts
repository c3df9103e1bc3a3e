import type { Server } from "@nats-io/transport-node";

/**
 * The server that has been untried for longest; null when there is none. By default, the client begins with the server that
 * it has just left, though that may only lead to a timeout.
 */
export function longestUntried<S extends Pick<Server, "lastConnect">>(pool: readonly S[]): S | null {
  return pool.reduce<S | null>((longest, server) => {
    return longest === null || server.lastConnect < longest.lastConnect ? server : longest;
  }, null);
}
