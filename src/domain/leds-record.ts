/**
 * A service is delivered by LEDS (locality endpoint discovery): proxies that support it are sent single backends, as members of
 * collections, not all of them with each change. A duty commits it, because it has a memory; no record, no LEDS.
 *
 * A proxy that reconnects does not say which members it holds. So each proxy that asks for a collection is told the names of
 * those that left it. When too many left, or it is not known which, a new generation begins, with collections of new names.
 */
export interface LedsRecord {
  /** Part of the collections' names. No two generations of one service have the same, even when LEDS was off in between. */
  readonly generation: string;
  /** The store's epoch that the record is from: one from before a restore says nothing about what proxies hold. */
  readonly epoch: number;
  /** The digest of the members of all collections, at the time of writing. */
  readonly digest: string;
  /** Members that left their collection since the generation began, as `GROUP/ID`. */
  readonly departed: readonly string[];
}
