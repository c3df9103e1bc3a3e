import type { Random } from "../../src/runtime/random.ts";

/** Chance that repeats itself for the same seed (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed;
  let ids = 0;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    next,
    secret: (length) => Uint8Array.from({ length }, () => Math.floor(next() * 256)),
    id: () => {
      ids += 1;
      return `id-${seed}-${ids}`;
    },
  };
}
