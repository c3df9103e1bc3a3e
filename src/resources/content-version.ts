import { createHash } from "node:crypto";

/**
 * The version of a resource: 128 bits of SHA-256 over type URL, name and body, after a prefix that names the algorithm.
 * Only equality means anything.
 */
export function contentVersion(typeUrl: string, name: string, body: Uint8Array): string {
  const hash = createHash("sha256").update(`${typeUrl}\0${name}\0`).update(body).digest("hex");
  return `s1-${hash.slice(0, 32)}`;
}
