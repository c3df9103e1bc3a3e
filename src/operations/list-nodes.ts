import type { Node } from "../gen/fairlead/admin/v1/node_pb.ts";
import type { Context } from "./context.ts";
import { nodeMessage } from "./node-message.ts";
import { readName } from "./object-errors.ts";

/** The proxies that are connected or were seen lately, of one fleet or of all, without their resources. */
export function listNodes({ nodes }: Context, fleet: string): Node[] {
  const wanted = fleet === "" ? undefined : readName("fleet", fleet, "fleet");
  return nodes
    .nodes()
    .filter((view) => wanted === undefined || view.fleet === wanted)
    .map((view) => nodeMessage(view, { withResources: false }));
}
