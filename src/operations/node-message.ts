import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { NodeView, ResourceView, TypeView } from "../fleet/node-directory.ts";
import {
  type Node,
  NodeSchema,
  type NodeType,
  NodeType_State,
  NodeTypeSchema,
} from "../gen/fairlead/admin/v1/node_pb.ts";
import { formatRevision } from "../store/revision.ts";

const STATE: Readonly<Record<TypeView["state"], NodeType_State>> = {
  idle: NodeType_State.IDLE,
  sent: NodeType_State.SENT,
  acked: NodeType_State.ACKED,
  refused: NodeType_State.REFUSED,
};

/** A proxy as the API tells of it; `resources` only where they are asked for, since there may be many. */
export function nodeMessage(view: NodeView, { withResources }: { withResources: boolean }): Node {
  return create(NodeSchema, {
    id: view.id,
    cluster: view.cluster,
    fleet: view.fleet ?? "",
    envoyVersion: view.envoyVersion,
    variant: view.variant.toUpperCase(),
    connected: view.connected,
    since: timestampFromMs(view.since),
    replica: view.replica,
    types: view.types.map((type) => typeMessage(type, withResources)),
    lagMs: BigInt(Math.round(view.lagMs)),
    revision: view.settled === undefined ? "" : formatRevision(view.settled),
    conditions: conditionsOf(view),
    peer: view.peer,
  });
}

function typeMessage(type: TypeView, withResources: boolean): NodeType {
  return create(NodeTypeSchema, {
    type: type.shortName,
    typeUrl: type.typeUrl,
    state: STATE[type.state],
    known: type.resources.length,
    resources: withResources ? type.resources.map(resourceMessage) : [],
  });
}

function resourceMessage({ name, sent, acknowledged, refused, unknown, held }: ResourceView) {
  return {
    name,
    versionSent: sent ?? "",
    versionAcknowledged: acknowledged ?? "",
    versionRefused: refused?.version ?? "",
    refusal: refused?.message ?? "",
    unknown,
    held: held ?? "",
  };
}

function conditionsOf({ silent, duplicate, id }: NodeView) {
  const conditions = [];
  if (silent !== undefined) conditions.push({ type: "Served", ok: false, reason: "SILENT", message: silent });
  if (duplicate) {
    const message = `another open stream has the id ${id} too; give each proxy its own node.id`;
    conditions.push({ type: "Unique", ok: false, reason: "DUPLICATE", message });
  }
  return conditions;
}
