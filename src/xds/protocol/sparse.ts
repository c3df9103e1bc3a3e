const NOTHING: ReadonlyMap<string, never> = new Map<string, never>();

/** Values by name, of which there is none or one nearly all of the time: then there is no table. */
class Sparse<V> {
  /** The only entry; undefined when there is none, or when there are more. */
  #name: string | undefined;
  #value: V | undefined;
  #more: Map<string, V> | undefined;

  get size(): number {
    return this.#more?.size ?? (this.#name === undefined ? 0 : 1);
  }

  get(name: string): V | undefined {
    if (this.#more) return this.#more.get(name);
    return this.#name === name ? this.#value : undefined;
  }

  has(name: string): boolean {
    return this.#more?.has(name) ?? this.#name === name;
  }

  set(name: string, value: V): void {
    if (this.#more) this.#more.set(name, value);
    else if (this.#name === undefined || this.#name === name) {
      this.#name = name;
      this.#value = value;
    } else {
      this.#more = new Map(this.entries()).set(name, value);
      this.#name = undefined;
      this.#value = undefined;
    }
  }

  delete(name: string): boolean {
    if (this.#more) {
      const had = this.#more.delete(name);
      if (this.#more.size === 0) this.#more = undefined;
      return had;
    }
    if (this.#name !== name) return false;
    this.clear();
    return true;
  }

  clear(): void {
    this.#name = undefined;
    this.#value = undefined;
    this.#more = undefined;
  }

  /** For all iterators here: entries may be deleted meanwhile; entries added meanwhile may be seen or not. */
  keys(): IteratorObject<string> {
    return this.#more?.keys() ?? (this.#name === undefined ? NOTHING.keys() : [this.#name].values());
  }

  values(): IteratorObject<V> {
    return this.#more?.values() ?? (this.#name === undefined ? NOTHING.values() : [this.#value as V].values());
  }

  entries(): IteratorObject<[string, V]> {
    if (this.#more) return this.#more.entries();
    if (this.#name === undefined) return NOTHING.entries();
    const only: [string, V] = [this.#name, this.#value as V];
    return [only].values();
  }
}

/**
 * A map by name that is empty or holds one entry nearly all of the time, and then costs no table. A stream has many of
 * these for what is unsettled, and a push goes through several of them.
 */
export class SparseMap<V> extends Sparse<V> {
  [Symbol.iterator](): IteratorObject<[string, V]> {
    return this.entries();
  }
}

/** A set of names that is empty nearly all of the time, like `SparseMap`. */
export class SparseSet extends Sparse<true> {
  add(name: string): void {
    this.set(name, true);
  }

  [Symbol.iterator](): IteratorObject<string> {
    return this.keys();
  }
}
