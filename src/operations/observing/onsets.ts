/** When something began. */
export interface Onset {
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** It was already so when this replica began to look, and may be older. */
  readonly atLeast: boolean;
}

/**
 * When the things that are derived began. None of them is stored, so nothing stored says when it began, nor does the last
 * write of an object: each replica remembers when it first saw it. Holds one entry for each thing that stands.
 */
export class Onsets {
  readonly #standing = new Map<string, Map<string, Onset>>();

  /** Records all that stands of one subject; what was not known before gets the given onset. */
  see(subject: string, standing: Iterable<string>, onset: Onset): void {
    const known = this.#standing.get(subject);
    const now = new Map<string, Onset>();
    for (const what of standing) now.set(what, known?.get(what) ?? onset);
    if (now.size === 0) this.#standing.delete(subject);
    else this.#standing.set(subject, now);
  }

  /** Returns undefined for what has not been seen yet: it has only just begun. */
  of(subject: string, what: string): Onset | undefined {
    return this.#standing.get(subject)?.get(what);
  }
}
