import { canonicalName, type Glob, isMember, parseGlob } from "./resource-name.ts";

/** What a request changed: names newly asked for (also again), names given up, and the wildcard. */
export type SubscriptionChange = {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly wildcard: "added" | "removed" | "same";
};

/**
 * What one client wants of one type on one stream: names, the wildcard, or both.
 *
 * The empty list is a wildcard only as long as nothing was ever named (W2, W3), and only for types that have the
 * legacy form at all (W8).
 *
 * @see xDS protocol, "How the client specifies what resources to return"
 */
export class Subscription {
  readonly names = new Set<string>();
  wildcard = false;
  readonly #legacyWildcard: boolean;
  readonly #globs = new Map<string, Glob>();
  #everNamed = false;
  #started = false;

  constructor(options: { legacyWildcard: boolean }) {
    this.#legacyWildcard = options.legacyWildcard;
  }

  /** Collections among the names. */
  get globs(): ReadonlyMap<string, Glob> {
    return this.#globs;
  }

  covers(name: string, aliases: readonly string[] = []): boolean {
    if (this.wildcard || this.names.has(name)) return true;
    if (aliases.some((alias) => this.names.has(alias))) return true;
    return this.#globs.size > 0 && this.#globs.values().some((glob) => isMember(glob, name));
  }

  /** SotW: each request holds the complete list. */
  replace(listed: readonly string[]): SubscriptionChange {
    const wanted = new Set(listed.map(canonicalName));
    const named = wanted.delete("*") || wanted.size > 0;
    const wildcard = listed.includes("*") || (!named && !this.#everNamed && this.#legacyWildcard);
    this.#everNamed ||= named;
    this.#started = true;
    const added = [...wanted].filter((name) => !this.names.has(name));
    const removed = [...this.names].filter((name) => !wanted.has(name));
    for (const name of added) this.#add(name);
    for (const name of removed) this.#delete(name);
    return { added, removed, wildcard: this.#setWildcard(wildcard) };
  }

  /**
   * Delta: each request holds differences. A name that is subscribed again counts as added again, since the client
   * may have forgotten what it had (D6); one that is unsubscribed without having been subscribed counts for nothing (D7).
   */
  change(subscribe: readonly string[], unsubscribe: readonly string[]): SubscriptionChange {
    const first = !this.#started;
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
    return { added: [...added], removed, wildcard: this.#setWildcard(wildcard) };
  }

  #setWildcard(wildcard: boolean): SubscriptionChange["wildcard"] {
    if (wildcard === this.wildcard) return "same";
    this.wildcard = wildcard;
    return wildcard ? "added" : "removed";
  }

  #add(name: string): void {
    this.names.add(name);
    const glob = parseGlob(name);
    if (glob) this.#globs.set(name, glob);
  }

  #delete(name: string): boolean {
    this.#globs.delete(name);
    return this.names.delete(name);
  }
}
