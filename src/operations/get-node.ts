import { ControlPlaneError } from "../domain/errors.ts";
import type { NodeView, UnknownReplica } from "../fleet/node-directory.ts";
import type { Node } from "../gen/fairlead/admin/v1/node_pb.ts";
import type { Context } from "./context.ts";
import { nodeMessage } from "./node-message.ts";

/** A proxy with each of its resources. @throws ControlPlaneError `notFound` / `NODE_NOT_FOUND`, `unavailable` / `REPLICA_SILENT`. */
export async function getNode(context: Pick<Context, "nodes">, id: string): Promise<Node> {
  return nodeMessage(await findNode(context, id));
}

/** The same as the directory has it. */
export async function findNode({ nodes }: Pick<Context, "nodes">, id: string): Promise<NodeView> {
  const { told, unknown } = await nodes.nodes({ id, detail: "resources" });
  // Of several streams with one id, the newest that is open tells most.
  const [view] = told.toSorted((a, b) => Number(b.connected) - Number(a.connected) || b.since - a.since);
  if (view !== undefined) return view;
  throw unknown.length === 0 ? nodeNotFound([id]) : mayBeElsewhere(id, unknown);
}

export function nodeNotFound(ids: readonly string[]): ControlPlaneError {
  return new ControlPlaneError({
    kind: "notFound",
    code: "NODE_NOT_FOUND",
    message: `no proxy with the id ${ids.join(", ")} is connected or was seen in the last five minutes`,
    details: { nodes: ids.join(",") },
  });
}

function mayBeElsewhere(id: string, unknown: readonly UnknownReplica[]): ControlPlaneError {
  const silent = unknown.map(({ replica }) => replica).join(", ");
  return new ControlPlaneError({
    kind: "unavailable",
    code: "REPLICA_SILENT",
    message: `no replica that answers knows a proxy with the id ${id}; ${silent} does not answer, and may`,
    details: { replicas: silent },
  });
}
