/** Bytes that were right, made wrong. */
import type { Chance } from "./chance.ts";

type Mutation = (bytes: Uint8Array, chance: Chance) => Uint8Array;

const flipBit: Mutation = (bytes, chance) => {
  const flipped = bytes.slice();
  const at = chance.below(Math.max(1, bytes.length));
  if (at < flipped.length) flipped[at] = (flipped[at] ?? 0) ^ (1 << chance.below(8));
  return flipped;
};

const truncate: Mutation = (bytes, chance) => bytes.subarray(0, chance.below(bytes.length + 1));

/** A part of the bytes again, somewhere in the middle of them. */
const repeatPart: Mutation = (bytes, chance) => {
  const from = chance.below(bytes.length + 1);
  const part = bytes.subarray(from, from + chance.below(64));
  return insert(bytes, chance, part);
};

const insertNoise: Mutation = (bytes, chance) => insert(bytes, chance, chance.bytes(1 + chance.below(16)));

/** The longest number that the wire format has, where a length or a tag may stand. */
const insertHugeVarint: Mutation = (bytes, chance) =>
  insert(bytes, chance, Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01));

const MUTATIONS: readonly Mutation[] = [flipBit, truncate, repeatPart, insertNoise, insertHugeVarint];

/** Bytes after one to four mutations. The input stays as it is. */
export function mutateBytes(bytes: Uint8Array, chance: Chance): Uint8Array {
  let mutated = bytes;
  for (let i = 0; i <= chance.below(4); i++) mutated = chance.oneOf(MUTATIONS)(mutated, chance);
  return mutated;
}

/** Text after a few mutations of its characters. */
export function mutateText(text: string, chance: Chance): string {
  return new TextDecoder().decode(mutateBytes(new TextEncoder().encode(text), chance));
}

function insert(bytes: Uint8Array, chance: Chance, part: Uint8Array): Uint8Array {
  const at = chance.below(bytes.length + 1);
  return Uint8Array.from([...bytes.subarray(0, at), ...part, ...bytes.subarray(at)]);
}
