/**
 * A service is delivered by LEDS (locality endpoint discovery): proxies that can are sent one backend at a time, as members
 * of collections, instead of all of them with each change. Committed by a duty, because it has a memory; no record, no LEDS.
 *
 * A proxy that comes back does not say which members it holds. So whoever asks for a collection is told the names of those
 * that left it, and when too many have left, or nobody knows which, a new generation begins with collections of new names.
 */
export interface LedsRecord {
  /** Part of the collections' names. No two generations of one service have the same, also when LEDS was off in between. */
  readonly generation: string;
  /** The store's epoch that the record is of: one from before a restore says nothing of what proxies hold. */
  readonly epoch: number;
  /** Of the members of all collections, at the time of writing. */
  readonly digest: string;
  /** Members that left their collection since the generation began, as `GROUP/ID`. */
  readonly departed: readonly string[];
}
