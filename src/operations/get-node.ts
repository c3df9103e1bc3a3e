import { ControlPlaneError } from "../domain/errors.ts";
import type { Node } from "../gen/fairlead/admin/v1/node_pb.ts";
import type { Context } from "./context.ts";
import { nodeMessage } from "./node-message.ts";

/** A proxy with each of its resources. @throws ControlPlaneError `notFound` / `NODE_NOT_FOUND`. */
export function getNode({ nodes }: Context, id: string): Node {
  // Of several streams with one id, the newest that is open tells most.
  const [view] = nodes
    .nodes()
    .filter((node) => node.id === id)
    .sort((a, b) => Number(b.connected) - Number(a.connected) || b.since - a.since);
  if (view === undefined) throw nodeNotFound([id]);
  return nodeMessage(view, { withResources: true });
}

export function nodeNotFound(ids: readonly string[]): ControlPlaneError {
  return new ControlPlaneError({
    kind: "notFound",
    code: "NODE_NOT_FOUND",
    message: `no proxy with the id ${ids.join(", ")} is connected or was seen in the last five minutes`,
    details: { nodes: ids.join(",") },
  });
}
