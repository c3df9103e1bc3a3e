/** Where the state says in which form it is, and how resources are encoded from it. */
export const SYSTEM_VERSION_KEY = "system/version";

/** The form of the stored state itself; a release refuses to read a greater one than it knows. */
const SCHEMA = 1;

export function encodeSystemVersion(profile: number): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ schema: SCHEMA, profile }));
}

/** The encoding profile of a state. A later release's form is a profile that nobody has; nothing for bytes that say nothing. */
export function decodeSystemVersion(value: Uint8Array): number | undefined {
  try {
    const { schema, profile } = JSON.parse(new TextDecoder().decode(value)) as Record<string, unknown>;
    if (typeof schema !== "number") return undefined;
    if (schema !== SCHEMA) return Number.POSITIVE_INFINITY;
    return typeof profile === "number" ? profile : undefined;
  } catch {
    return undefined;
  }
}
