/** When something began. */
export interface Onset {
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** It was so already when this replica began to look, and may be older. */
  readonly atLeast: boolean;
}

/**
 * Since when what is derived stands. None of it is stored, so that nothing stored says when it began, and the last write of
 * an object does not either: each replica remembers when it saw it first. Holds one entry for each thing that stands.
 */
export class Onsets {
  readonly #standing = new Map<string, Map<string, Onset>>();

  /** All that stands of one subject, seen first at the onset that is given, unless it was known before. */
  see(subject: string, standing: Iterable<string>, onset: Onset): void {
    const known = this.#standing.get(subject);
    const now = new Map<string, Onset>();
    for (const what of standing) now.set(what, known?.get(what) ?? onset);
    if (now.size === 0) this.#standing.delete(subject);
    else this.#standing.set(subject, now);
  }

  /** Nothing for what nobody has seen yet: it has only just begun. */
  of(subject: string, what: string): Onset | undefined {
    return this.#standing.get(subject)?.get(what);
  }
}
