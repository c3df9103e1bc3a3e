const MAX_TYPES = 16;
const MAX_LENGTH = 256;

/** Types that a client asked for and that are not known here: the first few, and of each its beginning. */
export class UnknownTypes {
  readonly #types = new Set<string>();

  add(typeUrl: string): void {
    // A part of a string keeps all of it in memory; this makes a string of its own.
    if (this.#types.size < MAX_TYPES) this.#types.add(Buffer.from(typeUrl.slice(0, MAX_LENGTH)).toString());
  }

  list(): string[] {
    return [...this.#types];
  }
}
