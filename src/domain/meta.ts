import type { Name } from "./name.ts";

/** What every object carries besides its spec. A spec never holds status: status is derived. */
export interface Meta {
  /** Tells a re-created object apart from an earlier one of the same name. */
  readonly uid: string;
  /** Grows by one with each change of the spec, and only then (law 3, order). */
  readonly generation: number;
  /** Opaque token of the last write: its revision, as text. */
  readonly version: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** The apply set it came from; empty when it was written by a verb. */
  readonly owner: string;
  /** Milliseconds since the epoch, by the store's clock; for display, and to break ties by age. */
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly requestId: string;
}

export interface Identified {
  readonly name: Name;
  readonly meta: Meta;
}

/** Orders objects by age, then name: the older one wins a conflict. */
export function byAge(a: Identified, b: Identified): number {
  return a.meta.createdAt - b.meta.createdAt || byName(a, b);
}

export function byName(a: Identified, b: Identified): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
