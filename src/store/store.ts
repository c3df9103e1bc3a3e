import type { Journal } from "./journal.ts";
import type { Lease } from "./lease.ts";
import type { Peers } from "./peers.ts";
import type { StateStore } from "./state-store.ts";

/** How the store is, as far as this process can tell without asking anybody. */
export interface StoreStatus {
  readonly kind: "embedded" | "nats";
  /** How many machines keep each write. */
  readonly copies: number;
  /**
   * Why nothing is taken in and nothing can be written any more (`STORE_REPLACED`): the store was replaced or went back
   * without a new epoch, so that it may hold less than what was served. Ends with a restore, which begins one.
   */
  readonly frozen: string | undefined;
}

/** What a store gives to the plane once it is open. Closing `state` ends all of it. */
export interface Store {
  readonly state: StateStore;
  readonly journal: Journal;
  readonly lease: Lease;
  readonly peers: Peers;
  readonly status: () => StoreStatus;
}
