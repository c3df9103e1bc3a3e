/** Choices of an attack, drawn from its seed: the same seed chooses the same. */
import { seededRandom } from "../support/seeded-random.ts";

export interface Chance {
  /** From 0 to `below` - 1. */
  below(below: number): number;
  /** One of these; there must be some. */
  oneOf<T>(values: readonly T[]): T;
  /** True `percent` times of 100. */
  happens(percent: number): boolean;
  bytes(length: number): Uint8Array;
}

export function chanceOf(seed: number): Chance {
  const random = seededRandom(seed);
  const below = (bound: number) => Math.floor(random.next() * bound);
  return {
    below,
    oneOf: <T>(values: readonly T[]) => values[below(values.length)] as T,
    happens: (percent) => below(100) < percent,
    bytes: (length) => Uint8Array.from({ length }, () => below(256)),
  };
}

/** A seed for each attack of a campaign, so that one of them can be repeated alone. */
export function seedOf(campaign: number, attack: number): number {
  return (Math.imul(campaign ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(attack + 1, 0xc2b2ae35)) | 0;
}
