import type { Known, Resource } from "./resource.ts";
import type { SparseMap } from "./sparse.ts";

/** One resource of a response that awaits its answer; without `resource` it is a removal. */
export type FlightItem = {
  readonly name: string;
  readonly resource: Resource | undefined;
  /** What the client had before, and counts as having again if it refuses. */
  before: Known | undefined;
  /** The publication this item settles; undefined when it only repeats what the client has. */
  readonly publication: number | undefined;
  /** Whether it is repeated only because a full set must not lack it; something else is still due under this name. */
  readonly kept: boolean;
};

/** A response that awaits its answer. */
export type Flight = {
  readonly nonce: string;
  /** Grows with each response of the stream, over all types: it tells which was on the wire first. */
  readonly sequence: number;
  /** SotW's `version_info`; empty in delta. */
  readonly version: string;
  readonly sentAt: number;
  readonly items: ReadonlyMap<string, FlightItem>;
};

export type Refusal = {
  readonly nonce: string;
  readonly code: number;
  /** Debug text of the client: unstable, cut at `maxRefusalTextBytes`, and not to be parsed (xds R17). */
  readonly message: string;
  readonly at: number;
  /** When the same content was first refused. */
  readonly since: number;
  /** How often it was refused in a row. */
  readonly attempt: number;
  /** Everything that the refused response held; a removal has no resource. */
  readonly items: ReadonlyMap<string, FlightItem>;
};

/**
 * Relates a refusal to standing refusals of its members. What was refused before keeps its publication, since it is not
 * news; what was refused as a part of more counts as refused for the first time.
 */
export function repeatedFrom(
  standing: SparseMap<Refusal>,
  { items }: Pick<Refusal, "items">,
  at: number,
): Pick<Refusal, "attempt" | "since" | "items"> {
  const before = new Map<string, Refusal>();
  for (const { name, resource, kept } of items.values()) {
    const earlier = standing.get(name);
    if (!kept && earlier?.items.get(name)?.resource?.hash === resource?.hash && earlier) before.set(name, earlier);
  }
  if (before.size === 0) return { attempt: 1, since: at, items };
  const all = [...before.values()];
  const isSame = before.size === sizeOf({ items });
  return {
    attempt:
      isSame && all.every((refusal) => sizeOf(refusal) <= before.size) ? Math.max(...all.map((r) => r.attempt)) + 1 : 1,
    since: isSame ? Math.min(...all.map(({ since }) => since)) : at,
    items: new Map(
      Array.from(items, ([name, item]) => {
        const earlier = before.get(name)?.items.get(name);
        return [name, earlier ? { ...item, publication: earlier.publication } : item];
      }),
    ),
  };
}

/** The number of items, without those that were only kept. */
export function sizeOf({ items }: Pick<Refusal, "items">): number {
  let size = 0;
  for (const { kept } of items.values()) if (!kept) size++;
  return size;
}

/** Refused names under which the client may now run something else; excludes removals of what it never had. */
export function doubtfulNames({ items }: Refusal): string[] {
  const names: string[] = [];
  for (const { name, resource, before } of items.values()) if (resource ?? before) names.push(name);
  return names;
}
