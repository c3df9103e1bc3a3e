import { FIRST_PROFILE } from "../domain/encoding-profile.ts";

/** Where the state says in which form it is, and how resources are encoded from it. */
export const SYSTEM_VERSION_KEY = "system/version";

/** The form of the stored state itself; a release refuses to read a greater one than it knows. */
const SCHEMA = 1;

export function encodeSystemVersion(profile: number): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ schema: SCHEMA, profile }));
}

/** The encoding profile of a state; never written is the first one. A later release's form is a profile that nobody has. */
export function profileOf(value: Uint8Array | undefined): number {
  if (value === undefined) return FIRST_PROFILE;
  try {
    const { schema, profile } = JSON.parse(new TextDecoder().decode(value)) as Record<string, unknown>;
    return schema === SCHEMA && typeof profile === "number" ? profile : Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
