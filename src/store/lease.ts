import { checkKey } from "./batch.ts";
import type { Cause } from "./journal.ts";
import { OTHER_RECORDS } from "./keys/records.ts";
import type { BatchGuard } from "./state-store.ts";

/** The right to act alone in a role, among all replicas that share a store. */
export interface Lease {
  /**
   * Resolves once the role is won; waits for as long as somebody else holds it, or the store is away. The tenure then
   * renews itself. Rejects with the signal's reason when it is aborted first, and with `STORE_CLOSED`.
   *
   * A role is one token of a store key.
   */
  campaign(role: string, signal: AbortSignal): Promise<Tenure>;
}

export interface Tenure {
  /**
   * The fencing token: goes into every batch of this tenure. Whoever wins the role later writes a newer one first, so a
   * holder that was paused and does not know yet that it lost is refused with `FENCED`.
   */
  readonly fencingToken: BatchGuard;
  /** Aborted when the tenure ends: resigned, lost, or not renewed in time, which is before anybody else can win. */
  readonly ended: AbortSignal;
  /** Gives up the role, so another replica can win it at once. Idempotent. */
  resign(): Promise<void>;
}

/**
 * Where the fencing token of a role is kept. Its value names the holder, for people.
 *
 * @throws ControlPlaneError `invalid` / `BAD_KEY` when the role is not one token of a key.
 */
export function leaseKey(role: string): string {
  const key = OTHER_RECORDS.lease.key(role);
  checkKey(key);
  return key;
}

/** Why a fencing token is written. */
export const LEASE_CAUSE: Cause = { actor: "lease", operation: "-lease", reason: "", requestId: "" };
