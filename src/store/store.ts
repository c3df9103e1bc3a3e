import type { Archive } from "./archive.ts";
import type { Journal } from "./journal.ts";
import type { Lease } from "./lease.ts";
import type { Peers } from "./peers.ts";
import type { StateStore } from "./state-store.ts";

/** Something that is wrong with a store, in words, and since when: milliseconds since the epoch by this machine's clock. */
export interface StoreTrouble {
  readonly why: string;
  readonly since: number;
}

/** How the store is doing, as far as this process can tell without asking anybody. */
export interface StoreStatus {
  readonly kind: "embedded" | "nats";
  /** How many machines keep each write. */
  readonly copies: number;
  /**
   * Why nothing is taken in and nothing can be written any more (`STORE_REPLACED`): the store was replaced or went back
   * without a new epoch, so it may hold less than what was served. Ends with a restore, which begins a new epoch.
   */
  readonly frozen: string | undefined;
  /** Why it can be neither written nor heard just now. The last state is served; everything resumes by itself once it is back. */
  readonly away?: StoreTrouble | undefined;
  /** What is wrong with it although it works. */
  readonly fault?: StoreTrouble | undefined;
  /** By how many milliseconds the store's clock is ahead of this machine's; negative if it is behind. */
  readonly clockOffsetMs: number;
}

/** What a store gives to the plane once it is open. Closing `state` ends all of it. */
export interface Store {
  readonly state: StateStore;
  readonly journal: Journal;
  readonly archive: Archive;
  readonly lease: Lease;
  readonly peers: Peers;
  readonly status: () => StoreStatus;
  /** The servers that hold it, by name or IP literal, as far as they are known; none where it is in this process. */
  readonly servers: () => readonly { readonly host: string; readonly port: number }[];
  /** Compares what reads and watches are answered from with what is stored, and repairs it. Never rejects. */
  readonly verify: () => Promise<void>;
}
