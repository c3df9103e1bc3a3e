import { ControlPlaneError } from "../../domain/errors.ts";
import type { NodeQuery, ToldNode, UnknownReplica } from "../../fleet/node-directory.ts";
import type { Context } from "../context.ts";
import { withGone } from "./gone-proxies.ts";

/** A proxy as the directory has it, or as it is recorded once it is gone. @throws ControlPlaneError `notFound` / `NODE_NOT_FOUND`, `unavailable` / `REPLICA_SILENT`. */
export async function getNode(
  { nodes, mirror }: Pick<Context, "nodes" | "mirror">,
  query: NodeQuery & { readonly id: string },
): Promise<ToldNode> {
  const { told: here, unknown } = await nodes.nodes(query);
  const told = withGone({ mirror }, here).filter(({ id }) => id === query.id);
  // Of several streams with one id, the newest that is open tells most.
  const [node] = told.toSorted((a, b) => Number(b.connected) - Number(a.connected) || b.since - a.since);
  if (node !== undefined) return ofType(node, query.typeUrl);
  throw nodeMissing(query.id, unknown);
}

function ofType(node: ToldNode, typeUrl: string | undefined): ToldNode {
  return { ...node, types: node.types.filter((type) => (typeUrl ?? type.typeUrl) === type.typeUrl) };
}

/** No replica that answers knows the proxy. */
export function nodeMissing(id: string, unknown: readonly UnknownReplica[], state?: string): ControlPlaneError {
  return unknown.length === 0 ? nodeNotFound([id], state) : mayBeElsewhere(id, unknown);
}

export function nodeNotFound(
  ids: readonly string[],
  state = "is connected, was seen in the last five minutes, or is recorded as gone",
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
