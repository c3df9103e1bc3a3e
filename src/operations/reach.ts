import { create } from "@bufbuild/protobuf";
import type { State } from "../domain/state.ts";
import type { NodeView } from "../fleet/node-directory.ts";
import { type Reach, ReachSchema } from "../gen/fairlead/admin/v1/apply_pb.ts";
import { deriveFleet } from "../resources/derive-fleet.ts";
import { CLUSTER_TYPE, ENDPOINTS_TYPE, LISTENER_TYPE, type Resource, ROUTE_TYPE } from "../resources/resource.ts";
import { addressMoves } from "./address-moves.ts";

/** The types that a fleet is sent, by the short names that people know. */
const SHORT_NAMES = [
  ["CDS", CLUSTER_TYPE],
  ["EDS", ENDPOINTS_TYPE],
  ["LDS", LISTENER_TYPE],
  ["RDS", ROUTE_TYPE],
] as const;

/**
 * What a change of the state means for each fleet that it reaches: resources that differ, by type, and their bytes, and
 * addresses that pass from one listener to another.
 */
export function reachOf(before: State, after: State, nodes: readonly NodeView[]): Reach[] {
  // The proxies of a fleet that is deleted keep what they have, so that it does not reach them.
  const fleets = Array.from(after.all("fleet"), ({ name }) => name).sort((a, b) => (a < b ? -1 : 1));
  return fleets.flatMap((fleet) => {
    const old = resourcesOf(before, fleet);
    const next = resourcesOf(after, fleet);
    const types = SHORT_NAMES.map(([type, typeUrl]) => ({ type, ...compare(of(old, typeUrl), of(next, typeUrl)) }));
    const differing = types.filter(({ changed, removed }) => changed + removed > 0);
    if (differing.length === 0) return [];
    const proxies = nodes.filter((node) => node.connected && node.fleet === fleet).length;
    const moves = addressMoves(before, after, fleet);
    return [create(ReachSchema, { fleet, proxies, types: differing, addressMoves: moves })];
  });
}

function resourcesOf(state: State, name: string): readonly Resource[] {
  return state.get("fleet", name) === undefined ? [] : deriveFleet(state, { name }).resources;
}

function of(resources: readonly Resource[], typeUrl: string): ReadonlyMap<string, Resource> {
  return new Map(resources.filter((one) => one.typeUrl === typeUrl).map((one) => [one.name, one]));
}

function compare(old: ReadonlyMap<string, Resource>, next: ReadonlyMap<string, Resource>) {
  const changed = [...next.values()].filter(({ name, version }) => old.get(name)?.version !== version);
  const removed = [...old.keys()].filter((name) => !next.has(name)).length;
  const bytes = changed.reduce((sum, { body }) => sum + body.byteLength, 0);
  return { changed: changed.length, removed, bytes: BigInt(bytes) };
}
