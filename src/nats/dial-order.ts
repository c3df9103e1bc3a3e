import type { Server } from "@nats-io/transport-node";

/**
 * The server that was not tried for longest; nothing when there is none. The client by itself begins with the one that it
 * has just left, though that may bring nothing but a timeout.
 */
export function longestUntried<S extends Pick<Server, "lastConnect">>(pool: readonly S[]): S | null {
  return pool.reduce<S | null>((longest, server) => {
    return longest === null || server.lastConnect < longest.lastConnect ? server : longest;
  }, null);
}
