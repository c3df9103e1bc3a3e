/** Says how far fleets that name no networks have been given some: whoever empties them later means it. */
export const NETWORKS_FILLED_KEY = "system/backend-networks";

/** Not yet; with the Unix sockets that they led to, by a plane that others can reach; with loopback too. */
export type NetworksFilled = "no" | "sockets" | "loopback";

export function encodeNetworksFilled(filled: NetworksFilled): Uint8Array {
  return new TextEncoder().encode(filled);
}

/** Nothing for bytes of another form. */
export function decodeNetworksFilled(value: Uint8Array): NetworksFilled | undefined {
  const text = new TextDecoder().decode(value);
  return text === "sockets" || text === "loopback" ? text : undefined;
}
