import { type Known, minusHash, plusHash } from "./resource.ts";
import type { SharedTables } from "./shared-tables.ts";
import { SparseMap } from "./sparse.ts";

/** How many entries of its own a stream has before it looks for a table to share. */
const SHARE_AT = 32;

type Shared = { readonly entries: ReadonlyMap<string, Known>; readonly sum: bigint };

const NOTHING: Shared = { entries: new Map(), sum: 0n };

/**
 * What one client was sent of one type, by name: a table shared with every stream that was sent the same, and on top of
 * it the stream's own changes since.
 */
export class SentTable {
  #shared = NOTHING;
  /** An undefined value removes a name of the shared table. */
  readonly #own = new SparseMap<Known | undefined>();

  /** Costs as much as the stream has entries of its own. */
  get size(): number {
    let { size } = this.#shared.entries;
    for (const [name, known] of this.#own) {
      if (this.#shared.entries.has(name)) size--;
      if (known !== undefined) size++;
    }
    return size;
  }

  get(name: string): Known | undefined {
    const own = this.#own.get(name);
    if (own !== undefined || this.#own.has(name)) return own;
    return this.#shared.entries.get(name);
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  set(name: string, known: Known): void {
    this.#own.set(name, known);
  }

  delete(name: string): void {
    if (this.#shared.entries.has(name)) this.#own.set(name, undefined);
    else this.#own.delete(name);
  }

  *keys(): Generator<string> {
    for (const name of this.#shared.entries.keys()) if (!this.#own.has(name)) yield name;
    for (const [name, known] of this.#own) if (known !== undefined) yield name;
  }

  /**
   * Replaces this stream's own entries by a shared table with the same content. Cheap while there are few of its own.
   * What a client only presented has no hash to compare, and keeps the table from being shared.
   */
  share(tables: SharedTables, typeUrl: string): void {
    if (this.#own.size < SHARE_AT) return;
    let { sum } = this.#shared;
    let size = this.#shared.entries.size;
    for (const [name, known] of this.#own) {
      const before = this.#shared.entries.get(name);
      if (before?.hash !== undefined) sum = minusHash(sum, before.hash);
      if (before) size--;
      if (known === undefined) continue;
      if (known.hash === undefined) return;
      sum = plusHash(sum, known.hash);
      size++;
    }
    const key = `sent ${typeUrl} ${size} ${sum}`;
    this.#shared = tables.find<Shared>(key, () => true) ?? tables.keep(key, { entries: this.#merged(), sum });
    this.#own.clear();
  }

  #merged(): ReadonlyMap<string, Known> {
    const entries = new Map(this.#shared.entries);
    for (const [name, known] of this.#own) {
      if (known === undefined) entries.delete(name);
      else entries.set(name, known);
    }
    return entries;
  }
}
