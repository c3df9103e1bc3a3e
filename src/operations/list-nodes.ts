import { create } from "@bufbuild/protobuf";
import { type ListNodesResponse, ListNodesResponseSchema } from "../gen/fairlead/admin/v1/observe_pb.ts";
import type { Context } from "./context.ts";
import { nodeMessage, unknownMessage } from "./node-message.ts";
import { readName } from "./object-errors.ts";

/** The proxies that are connected or were seen lately, of one fleet or of all, without their resources. */
export async function listNodes({ nodes }: Context, fleet: string): Promise<ListNodesResponse> {
  const wanted = fleet === "" ? undefined : readName("fleet", fleet, "fleet");
  const { told, unknown } = await nodes.nodes();
  return create(ListNodesResponseSchema, {
    nodes: told.filter((view) => wanted === undefined || view.fleet === wanted).map(nodeMessage),
    unknownReplicas: unknown.map(unknownMessage),
  });
}
