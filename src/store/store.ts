import type { Journal } from "./journal.ts";
import type { Lease } from "./lease.ts";
import type { Peers } from "./peers.ts";
import type { StateStore } from "./state-store.ts";

/** What a store gives to the plane once it is open. Closing `state` ends all of it. */
export interface Store {
  readonly state: StateStore;
  readonly journal: Journal;
  readonly lease: Lease;
  readonly peers: Peers;
}
