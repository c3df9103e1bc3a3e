import type { Fleet } from "./fleet.ts";
import { byAge } from "./meta.ts";
import { partsOf } from "./name.ts";

/** What decides a proxy's fleet. */
export interface Selectable {
  /** `node.cluster`. */
  readonly cluster: string;
  /** `node.metadata`; only its strings can select. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

export type Selection = { readonly fleet: Fleet } | { readonly reason: string };

/**
 * The fleet that a proxy belongs to. A fleet without a selector selects the proxies whose `node.cluster` is its own id;
 * when several select it, the oldest counts.
 */
export function selectFleet(node: Selectable, fleets: Iterable<Fleet>): Selection {
  const selecting = [...fleets].filter((fleet) => selects(fleet, node)).sort(byAge);
  const [first] = selecting;
  if (first !== undefined) return { fleet: first };
  return {
    reason: `no fleet selects it: node.cluster is ${node.cluster === "" ? "empty" : `"${node.cluster}"`}`,
  };
}

/** Whether a fleet may select a proxy when only its `node.cluster` is known. */
export function maySelect(fleet: Fleet, cluster: string): boolean {
  return selects(fleet, { cluster, metadata: fleet.nodes.metadata });
}

function selects(fleet: Fleet, node: Selectable): boolean {
  const { cluster, metadata } = fleet.nodes;
  const wanted = Object.entries(metadata);
  if (cluster === undefined && wanted.length === 0) return node.cluster === partsOf("fleet", fleet.name).ids[0];
  return (
    (cluster === undefined || cluster === node.cluster) && wanted.every(([key, value]) => node.metadata[key] === value)
  );
}
