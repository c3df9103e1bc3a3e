import { randomBytes, randomUUID } from "node:crypto";

/** Randomness, as it is passed in. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** A fresh identifier: 36 characters, unique for all practical purposes. */
  id(): string;
  /** `length` bytes that nobody can guess, for keys. */
  secret(length: number): Uint8Array;
}

export const systemRandom: Random = {
  next: () => Math.random(),
  id: () => randomUUID(),
  secret: (length) => randomBytes(length),
};
