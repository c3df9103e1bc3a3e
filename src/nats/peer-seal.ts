import { createHmac, type KeyObject, timingSafeEqual } from "node:crypto";

/** Bytes that prove who sent a message. They come first in it. */
export const SEAL_BYTES = 32;

/**
 * Proves that a message comes from somebody who can read the store: HMAC-SHA256 under the key in the bucket, over what the
 * message is said for and its bytes.
 *
 * @param context What kind of message it is, on which subject, and what else it is bound to: it counts nowhere else.
 */
export function seal(key: KeyObject, context: readonly string[], body: Uint8Array): Uint8Array {
  return Buffer.concat([macOf(key, context, body), body]);
}

/** The bytes that were sealed for this context; nothing for any other message. */
export function unseal(key: KeyObject, context: readonly string[], message: Uint8Array): Uint8Array | undefined {
  if (message.byteLength < SEAL_BYTES) return undefined;
  const body = message.subarray(SEAL_BYTES);
  return timingSafeEqual(macOf(key, context, body), message.subarray(0, SEAL_BYTES)) ? body : undefined;
}

/** With the length of each part before it, so that no two contexts look alike. */
function macOf(key: KeyObject, context: readonly string[], body: Uint8Array): Buffer {
  const parts = ["fairlead/peers/1", ...context].map((part) => `${Buffer.byteLength(part)}:${part}`);
  return createHmac("sha256", key)
    .update(`${parts.length};${parts.join("")}`)
    .update(body)
    .digest();
}
