/** Below this size, a separate table is cheaper than looking for one to share. */
const MIN_SHARED = 16;
const SWEEP_AT = 64;

/**
 * Keeps one copy of tables that many streams hold with the same content: a stream then costs only what makes it differ.
 * Nothing is kept alive from here.
 */
export class SharedTables {
  readonly #known = new Map<string, WeakRef<object>[]>();
  #kept = 0;
  #sweepAt = SWEEP_AT;

  /** A set equal to this one, perhaps itself, not to be changed from now on; undefined when sharing is not worth it. */
  shareNames(names: ReadonlySet<string>): ReadonlySet<string> | undefined {
    if (names.size < MIN_SHARED) return undefined;
    const key = `names ${names.size} ${names.values().next().value}`;
    return this.find<ReadonlySet<string>>(key, (other) => isSubset(names, other)) ?? this.keep(key, names);
  }

  /** A value kept under this key and not forgotten yet. A key belongs to one type of value. */
  find<T extends object>(key: string, isEqual: (other: T) => boolean): T | undefined {
    for (const ref of this.#known.get(key) ?? []) {
      const other = ref.deref() as T | undefined;
      if (other !== undefined && isEqual(other)) return other;
    }
    return undefined;
  }

  keep<T extends object>(key: string, value: T): T {
    this.#known.set(key, [...(this.#known.get(key) ?? []), new WeakRef(value)]);
    this.#kept++;
    if (this.#kept >= this.#sweepAt) this.#sweep();
    return value;
  }

  #sweep(): void {
    this.#kept = 0;
    for (const [key, refs] of this.#known) {
      const alive = refs.filter((ref) => ref.deref() !== undefined);
      if (alive.length > 0) this.#known.set(key, alive);
      else this.#known.delete(key);
      this.#kept += alive.length;
    }
    this.#sweepAt = Math.max(SWEEP_AT, 2 * this.#kept);
  }
}

function isSubset(names: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  for (const name of names) if (!others.has(name)) return false;
  return true;
}
