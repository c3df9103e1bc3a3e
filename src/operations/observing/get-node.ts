import { ControlPlaneError } from "../../domain/errors.ts";
import type { NodeQuery, ToldNode, UnknownReplica } from "../../fleet/node-directory.ts";
import type { Context } from "../context.ts";

/** A proxy as the directory has it. @throws ControlPlaneError `notFound` / `NODE_NOT_FOUND`, `unavailable` / `REPLICA_SILENT`. */
export async function getNode(
  { nodes }: Pick<Context, "nodes">,
  query: NodeQuery & { readonly id: string },
): Promise<ToldNode> {
  const { told, unknown } = await nodes.nodes(query);
  // Of several streams with one id, the newest that is open tells most.
  const [node] = told.toSorted((a, b) => Number(b.connected) - Number(a.connected) || b.since - a.since);
  if (node !== undefined) return node;
  throw nodeMissing(query.id, unknown);
}

/** No replica that answers knows the proxy. */
export function nodeMissing(id: string, unknown: readonly UnknownReplica[], state?: string): ControlPlaneError {
  return unknown.length === 0 ? nodeNotFound([id], state) : mayBeElsewhere(id, unknown);
}

export function nodeNotFound(
  ids: readonly string[],
  state = "is connected or was seen in the last five minutes",
): ControlPlaneError {
  return new ControlPlaneError({
    kind: "notFound",
    code: "NODE_NOT_FOUND",
    message: `no proxy with the id ${ids.join(", ")} ${state}`,
    details: { nodes: ids.join(",") },
  });
}

function mayBeElsewhere(id: string, unknown: readonly UnknownReplica[]): ControlPlaneError {
  const silent = unknown.map(({ replica }) => replica).join(", ");
  return new ControlPlaneError({
    kind: "unavailable",
    code: "REPLICA_SILENT",
    message: `no replica that answers knows a proxy with the id ${id}; ${silent} does not answer, and may know it`,
    details: { replicas: silent },
  });
}
