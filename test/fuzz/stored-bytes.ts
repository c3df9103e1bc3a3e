/** What somebody may have written into a store who is not a plane. */
import type { Chance } from "./chance.ts";
import { hostileText } from "./dictionary.ts";
import { mutateBytes } from "./mutate-bytes.ts";

export interface StoredBytes {
  readonly key: string;
  readonly value: Uint8Array;
}

/**
 * Places that records have, and some that they have not. Left out is what keeps everything back by its meaning: a kind of a
 * later release, and a profile that nobody knows; `test/unit/control/withheld.test.ts` has them.
 */
const PLACES = [
  "projects/default/services/shop/backends/s1/health/foo",
  "projects/default/services/shop/backends/s9",
  "projects/-/services/shop",
  "projects/default/listeners/fuzz",
  "refusals/0123456789abcdef",
  "refusals/x/y",
  "leds/default/services/shop",
  "assign/plane-1",
  "planes/plane-1",
  "presence/projects/default/fleets/edge/0",
  "fuzz",
] as const;

/** Of a store's true content, a part under a true or an odd key. Keys that a witness needs are left alone. */
export function storedBytes(content: readonly StoredBytes[], chance: Chance): StoredBytes {
  const values = content.map(({ value }) => value);
  const value =
    chance.happens(70) && values.length > 0
      ? mutateBytes(chance.oneOf(values), chance)
      : chance.bytes(chance.below(200));
  return { key: keyOf(content, chance), value };
}

function keyOf(content: readonly StoredBytes[], chance: Chance): string {
  const known = content.map(({ key }) => key).filter((key) => !key.includes("witness") && !key.startsWith("system/"));
  if (known.length > 0 && chance.happens(50)) return chance.oneOf(known);
  const place = chance.oneOf(PLACES);
  // Below an object's key lies a kind that nobody knows.
  if (place.startsWith("projects/") || chance.happens(70)) return place;
  // Printable and without what no store takes in a key.
  return `${place}/${hostileText(chance)
    .replaceAll(/[^\x21-\x7e]|[*>.]/g, "_")
    .slice(0, 60)}`;
}
