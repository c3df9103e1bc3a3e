const MAX_TYPES = 16;
const MAX_LENGTH = 256;

/** Types that a client asked for but that are not known here: the beginnings of the first few. */
export class UnknownTypes {
  readonly #types = new Set<string>();

  add(typeUrl: string): void {
    // A slice of a string keeps the whole string in memory; this makes a separate string.
    if (this.#types.size < MAX_TYPES) this.#types.add(Buffer.from(typeUrl.slice(0, MAX_LENGTH)).toString());
  }

  list(): string[] {
    return [...this.#types];
  }
}
