import type { State } from "../../domain/state.ts";
import type { ToldNode } from "../../fleet/node-directory.ts";
import { type Content, difference, type Edits } from "../../resources/content.ts";
import { derive } from "../../resources/derive.ts";
import { EndpointCache } from "../../resources/endpoint-cache.ts";
import { Memory } from "../../resources/memory.ts";
import { CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE } from "../../xds/protocol/resource-types.ts";
import { addressMoves } from "./address-moves.ts";

/** The types that a fleet is sent, by the short names that people know. */
const SHORT_NAMES = [
  ["CDS", CLUSTER_TYPE],
  ["EDS", ENDPOINT_TYPE],
  ["LDS", LISTENER_TYPE],
  ["RDS", ROUTE_TYPE],
] as const;

/**
 * What a change of the state means for each fleet that it reaches: resources that differ, by type, and their bytes, and
 * addresses that pass from one listener to another.
 */
export function reachOf(before: State, after: State, nodes: readonly ToldNode[]) {
  // The proxies of a fleet that is deleted keep what they have: the deletion does not reach them.
  const fleets = Array.from(after.all("fleet"), ({ name }) => name).sort((a, b) => (a < b ? -1 : 1));
  const memory = new Memory();
  const caches = [new EndpointCache(before, memory), new EndpointCache(after, memory)] as const;
  return fleets.flatMap((fleet) => {
    const edits = (["base", "grpc"] as const).map((level) => {
      const view = { fleet, level };
      const old: Content = before.get("fleet", fleet) === undefined ? new Map() : derive(before, view, caches[0]);
      return difference(old, derive(after, view, caches[1]));
    });
    const types = SHORT_NAMES.map(([type, typeUrl]) => ({ type, ...countOf(edits, typeUrl) }));
    const differing = types.filter(({ changed, removed }) => changed + removed > 0);
    if (differing.length === 0) return [];
    const proxies = nodes.filter((node) => node.connected && node.fleet === fleet).length;
    const moves = addressMoves(before, after, fleet);
    return [{ fleet, proxies, types: differing, addressMoves: moves }];
  });
}

/** Proxies and gRPC clients are sent forms of their own. */
function countOf(edits: readonly Edits[], typeUrl: string) {
  const changed = edits.flatMap(({ set }) => set.filter((one) => one.typeUrl === typeUrl));
  const removed = edits.flatMap(({ deleted }) => deleted.filter((one) => one.typeUrl === typeUrl)).length;
  const bytes = changed.reduce((sum, { body }) => sum + body.byteLength, 0);
  return { changed: changed.length, removed, bytes: BigInt(bytes) };
}
