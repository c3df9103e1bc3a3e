import type { RefusingLimit } from "./limits.ts";

/** A client sent or holds more than a stated limit. The message says which limit, how much came, and where it is set. */
export class LimitMet extends Error {
  readonly limit: RefusingLimit;

  /** Whether too much is held: then not even what the client has not read yet is kept. */
  get isOfHeldBytes(): boolean {
    return this.limit === "maxHeldBytes" || this.limit === "maxHeldBytesPerConnection";
  }

  /** @param what came, as the subject of a sentence: `node.id has 2,000,000 bytes` */
  constructor(limit: RefusingLimit, what: string, most: number) {
    super(`${what}; at most ${most.toLocaleString("en")} (XdsLimits.${limit})`);
    this.limit = limit;
  }
}

/** A limit of bytes, and what it is set to. */
export type ByteBound = { readonly limit: RefusingLimit; readonly most: number };

/** @throws LimitMet */
export function checkBytes({ limit, most }: ByteBound, field: string, bytes: number): void {
  if (bytes > most) throw new LimitMet(limit, `${field} has ${bytes.toLocaleString("en")} bytes`, most);
}
