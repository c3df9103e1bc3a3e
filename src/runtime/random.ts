import { randomUUID } from "node:crypto";

/** Chance, handed in. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** A fresh identifier: 36 characters, unique for all practical purposes. */
  id(): string;
}

export const systemRandom: Random = {
  next: () => Math.random(),
  id: () => randomUUID(),
};
