import { createHmac, type KeyObject, timingSafeEqual } from "node:crypto";

/** Size of the seal, which proves who sent a message and comes first in it. */
export const SEAL_BYTES = 32;

/**
 * Proves that a message comes from somebody who can read the store: HMAC-SHA256 with the key in the bucket, over the
 * message's context and its bytes.
 *
 * @param context The kind of message, its subject, and what else it is bound to: it is not valid in any other context.
 */
export function seal(key: KeyObject, context: readonly string[], body: Uint8Array): Uint8Array {
  return Buffer.concat([macOf(key, context, body), body]);
}

/** The bytes that were sealed for this context; undefined for any other message. */
export function unseal(key: KeyObject, context: readonly string[], message: Uint8Array): Uint8Array | undefined {
  if (message.byteLength < SEAL_BYTES) return undefined;
  const body = message.subarray(SEAL_BYTES);
  return timingSafeEqual(macOf(key, context, body), message.subarray(0, SEAL_BYTES)) ? body : undefined;
}

/** Each part is preceded by its length, so no two contexts look alike. */
function macOf(key: KeyObject, context: readonly string[], body: Uint8Array): Buffer {
  const parts = ["fairlead/peers/1", ...context].map((part) => `${Buffer.byteLength(part)}:${part}`);
  return createHmac("sha256", key)
    .update(`${parts.length};${parts.join("")}`)
    .update(body)
    .digest();
}
