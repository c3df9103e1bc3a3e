import { canonicalName, type Glob, isMember, parseGlob } from "./resource-name.ts";
import type { SharedTables } from "./shared-tables.ts";
import { SparseMap } from "./sparse.ts";

/** What a request changed: names asked for (perhaps again), names given up, and the wildcard. */
export type SubscriptionChange = {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly wildcard: "added" | "removed" | "same";
};

const NO_NAMES: ReadonlySet<string> = new Set();
const UNCHANGED: SubscriptionChange = { added: [], removed: [], wildcard: "same" };

/**
 * What one client wants of one type on one stream: names, the wildcard, or both.
 *
 * The empty list is a wildcard only as long as nothing was ever named (xds W2, W3), and only for types that have the
 * legacy form (xds W8).
 *
 * @see xDS protocol, "How the client specifies what resources to return"
 */
export class Subscription {
  wildcard = false;
  readonly #legacyWildcard: boolean;
  readonly #tables: SharedTables | undefined;
  #names = NO_NAMES;
  /** The same, unless other streams may share the set: to change it, this one takes a copy. */
  #own: Set<string> | undefined = undefined;
  readonly #globs = new SparseMap<Glob>();
  #everNamed = false;
  #started = false;
  #nameLength = 0;

  /** With tables, streams whose first requests name the same share one set. */
  constructor(options: { legacyWildcard: boolean }, tables?: SharedTables) {
    this.#legacyWildcard = options.legacyWildcard;
    this.#tables = tables;
  }

  get names(): ReadonlySet<string> {
    return this.#names;
  }

  /** The names, if other streams may share the set; otherwise undefined. */
  get sharedNames(): ReadonlySet<string> | undefined {
    return this.#own || this.#names.size === 0 ? undefined : this.#names;
  }

  /** Total characters in all names. */
  get nameLength(): number {
    return this.#nameLength;
  }

  /** Collections among the names. */
  get globs(): Pick<SparseMap<Glob>, "keys"> {
    return this.#globs;
  }

  covers(name: string, aliases: readonly string[] = []): boolean {
    if (this.wildcard || this.#names.has(name)) return true;
    if (aliases.some((alias) => this.#names.has(alias))) return true;
    return this.#globs.size > 0 && this.#globs.values().some((glob) => isMember(glob, name));
  }

  /** SotW: each request holds the complete list. */
  replace(listed: readonly string[]): SubscriptionChange {
    const wanted = new Set(listed.map(canonicalName));
    const named = wanted.delete("*") || wanted.size > 0;
    const wildcard = listed.includes("*") || (!named && !this.#everNamed && this.#legacyWildcard);
    const first = !this.#started;
    this.#everNamed ||= named;
    this.#started = true;
    const added = [...wanted].filter((name) => !this.#names.has(name));
    const removed = [...this.#names].filter((name) => !wanted.has(name));
    for (const name of added) this.#add(name);
    for (const name of removed) this.#delete(name);
    if (first) this.#share();
    return { added, removed, wildcard: this.#setWildcard(wildcard) };
  }

  /**
   * Delta: each request holds differences. A name that is subscribed again counts as added again, since the client
   * may have forgotten what it had (xds D6); one that is unsubscribed without having been subscribed counts for nothing (xds D7).
   */
  change(subscribe: readonly string[], unsubscribe: readonly string[]): SubscriptionChange {
    const first = !this.#started;
    if (!first && subscribe.length === 0 && unsubscribe.length === 0) return UNCHANGED;
    this.#started = true;
    let wildcard = this.wildcard || (first && subscribe.length === 0 && this.#legacyWildcard);
    const removed: string[] = [];
    for (const spelled of unsubscribe) {
      const name = canonicalName(spelled);
      if (name === "*") wildcard = false;
      else if (this.#delete(name)) removed.push(name);
    }
    const added = new Set<string>();
    for (const spelled of subscribe) {
      const name = canonicalName(spelled);
      if (name === "*") wildcard = true;
      else {
        this.#add(name);
        added.add(name);
      }
    }
    if (first) this.#share();
    return { added: [...added], removed, wildcard: this.#setWildcard(wildcard) };
  }

  #setWildcard(wildcard: boolean): SubscriptionChange["wildcard"] {
    if (wildcard === this.wildcard) return "same";
    this.wildcard = wildcard;
    return wildcard ? "added" : "removed";
  }

  #share(): void {
    const shared = this.#tables?.shareNames(this.#names);
    if (!shared) return;
    this.#names = shared;
    this.#own = undefined;
  }

  #ownNames(): Set<string> {
    this.#own ??= new Set(this.#names);
    this.#names = this.#own;
    return this.#own;
  }

  #add(name: string): void {
    if (this.#names.has(name)) return;
    this.#ownNames().add(name);
    this.#nameLength += name.length;
    const glob = parseGlob(name);
    if (glob) this.#globs.set(name, glob);
  }

  #delete(name: string): boolean {
    if (!this.#names.has(name)) return false;
    this.#globs.delete(name);
    this.#nameLength -= name.length;
    return this.#ownNames().delete(name);
  }
}
