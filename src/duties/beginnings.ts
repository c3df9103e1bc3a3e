import type { Name } from "../domain/name.ts";

/**
 * When things began, by this store's clock. An instant in the future was given by another clock, for example that of the
 * store that a backup comes from: the thing then begins when it is first seen, and lasts as long as it was meant to.
 */
export class Beginnings {
  readonly #seen = new Map<Name, { readonly given: number; readonly at: number }>();

  of(name: Name, given: number, now: number): number {
    if (given <= now) {
      this.#seen.delete(name);
      return given;
    }
    const before = this.#seen.get(name);
    if (before?.given === given) return before.at;
    this.#seen.set(name, { given, at: now });
    return now;
  }
}
