import { createHash } from "node:crypto";

/**
 * A digest of what a request asks for: the same for every try of it, whatever order a client gives the entries of a map in,
 * and a different one for any other content.
 *
 * @param request Without its secrets: anyone who reads the digest could try guesses.
 */
export function requestDigest(method: string, request: object): Uint8Array {
  return createHash("sha256").update(method).update("\n").update(JSON.stringify(request, canonical)).digest();
}

function canonical(_: string, value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
