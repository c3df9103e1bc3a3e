import { createHash } from "node:crypto";
import { formatVersion } from "../protocol/resource.ts";

/**
 * 128 bits of SHA-256 over type URL, name and bytes, each part preceded by its length so that no two triples collide.
 * Equal on every replica, whatever the order in which things arrived.
 */
export function contentHash(typeUrl: string, name: string, body: Uint8Array): bigint {
  const head = `${Buffer.byteLength(typeUrl)}:${typeUrl}${Buffer.byteLength(name)}:${name}`;
  return BigInt(`0x${digestOf(head, body)}`);
}

/** The version that a resource of this content has. Only equality means anything. */
export function contentVersion(typeUrl: string, name: string, body: Uint8Array): string {
  return formatVersion(contentHash(typeUrl, name, body));
}

/**
 * The version of what the control plane derives. It says the same as `contentVersion`, in the form that its proxies have
 * always been given: with any other, each of them would be sent everything once more, and again by a replica of the release
 * before.
 */
export function derivedVersion(typeUrl: string, name: string, body: Uint8Array): string {
  return `s1-${digestOf(`${typeUrl}\0${name}\0`, body)}`;
}

function digestOf(head: string, body: Uint8Array): string {
  return createHash("sha256").update(head).update(body).digest("hex").slice(0, 32);
}
