import { create, toBinary } from "@bufbuild/protobuf";
import type { ToldNode } from "../fleet/node-directory.ts";
import { NodeSchema } from "../gen/fairlead/admin/v1/node_pb.ts";
import {
  type ListNodesRequest,
  type ListNodesResponse,
  ListNodesResponseSchema,
} from "../gen/fairlead/admin/v1/observe_pb.ts";
import type { Context } from "../operations/context.ts";
import { readName } from "../operations/object-errors.ts";
import { MAX_PAGE_SIZE, pageOf } from "../operations/objects/page.ts";
import { withGone } from "../operations/observing/gone-proxies.ts";
import { nodeMessage, unknownMessage } from "./node-message.ts";

/**
 * The proxies that are connected, were seen lately or are recorded as gone, of one fleet or of all, without their resources: page by page, in the
 * order of their ids. An id that several proxies use is listed once for each.
 */
export async function listNodes(
  context: Context,
  { fleet, pageSize, pageToken }: Omit<ListNodesRequest, "$typeName">,
): Promise<ListNodesResponse> {
  const wanted = fleet === "" ? undefined : readName("fleet", fleet, "fleet");
  const { told: here, unknown } = await context.nodes.nodes();
  const told = withGone(context, here);
  const byPlace = new Map<string, ToldNode>();
  const namesakes = new Map<string, number>();
  for (const node of told) {
    if (wanted !== undefined && node.fleet !== wanted) continue;
    const nth = namesakes.get(node.id) ?? 0;
    namesakes.set(node.id, nth + 1);
    byPlace.set(`${node.id}\0${String(nth).padStart(8, "0")}`, node);
  }
  const { items, nextPageToken } = pageOf(
    byPlace.keys(),
    { pageSize: pageSize === 0 ? MAX_PAGE_SIZE : pageSize, pageToken },
    {
      filter: JSON.stringify(["node", fleet]),
      read: (place) => nodeMessage(byPlace.get(place) as ToldNode),
      bytes: (node) => toBinary(NodeSchema, node).byteLength,
    },
  );
  return create(ListNodesResponseSchema, {
    nodes: [...items],
    unknownReplicas: unknown.map(unknownMessage),
    nextPageToken,
  });
}
