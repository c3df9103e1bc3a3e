import { hash } from "node:crypto";
import { formatRevision, type Revision } from "../store/revision.ts";
import type { WatchEvent } from "../store/state-store.ts";

/** How many revisions' digests are remembered: another replica's digest of one arrives a moment later. */
const KEPT = 2_048;

/**
 * A digest of the state as this replica has folded it: the sum of the hashes of all keys with their values, free of order, so
 * a change costs only what it changes. Equal states have equal digests; with 64 bits, one difference in 10^19 goes unseen.
 */
export class StateDigest {
  readonly #hashes = new Map<string, bigint>();
  readonly #recent = new Map<string, string>();
  /** The keys seen so far, while the whole state is being read. Any that are not among them at the end are removed. */
  #seen: Set<string> | undefined;
  #sum = 0n;

  /** The digest of the state at a revision that was folded recently. */
  at(revision: Revision): string | undefined {
    return this.#recent.get(formatRevision(revision));
  }

  /** Follows the log. */
  fold(event: WatchEvent): void {
    if (event.kind === "state") {
      this.#seen ??= new Set();
      for (const { key, value } of event.entries) {
        this.#seen.add(key);
        this.#write(key, value);
      }
      if (!event.synced) return;
      for (const key of this.#hashes.keys()) if (!this.#seen.has(key)) this.#write(key, undefined);
      this.#seen = undefined;
    } else {
      for (const { key, value } of event.changes) this.#write(key, value);
    }
    this.#remember(event.revision);
  }

  #write(key: string, value: Uint8Array | undefined): void {
    const before = this.#hashes.get(key) ?? 0n;
    const after = value === undefined ? 0n : hashOf(key, value);
    if (value === undefined) this.#hashes.delete(key);
    else this.#hashes.set(key, after);
    this.#sum = BigInt.asUintN(64, this.#sum - before + after);
  }

  #remember(revision: Revision): void {
    this.#recent.set(formatRevision(revision), this.#sum.toString(16).padStart(16, "0"));
    const oldest = this.#recent.size > KEPT ? this.#recent.keys().next().value : undefined;
    if (oldest !== undefined) this.#recent.delete(oldest);
  }
}

function hashOf(key: string, value: Uint8Array): bigint {
  const name = Buffer.from(`${key}\0`);
  return hash("sha256", Buffer.concat([name, value]), { outputEncoding: "buffer" }).readBigUInt64BE(0);
}
