import { createHash } from "node:crypto";

/**
 * 128 bits of SHA-256 over type URL, name and bytes, each part preceded by its length so that no two triples collide.
 * Equal on every replica, whatever the order in which things arrived.
 */
export function contentHash(typeUrl: string, name: string, body: Uint8Array): bigint {
  const hash = createHash("sha256");
  hash.update(`${Buffer.byteLength(typeUrl)}:${typeUrl}${Buffer.byteLength(name)}:${name}`);
  hash.update(body);
  return BigInt(`0x${hash.digest("hex").slice(0, 32)}`);
}

/** The version that a resource of this content has; the prefix names the algorithm. Only equality means anything. */
export function contentVersion(typeUrl: string, name: string, body: Uint8Array): string {
  return formatVersion(contentHash(typeUrl, name, body));
}

export function formatVersion(hash: bigint): string {
  return `s${hash.toString(16).padStart(32, "0")}`;
}
