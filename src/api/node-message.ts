import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { ToldNode, ToldResource, ToldType, UnknownReplica } from "../fleet/node-directory.ts";
import { missingText } from "../fleet/told-node.ts";
import {
  type Node,
  NodeSchema,
  type NodeType,
  NodeType_State,
  NodeTypeSchema,
  UnknownReplicaSchema,
} from "../gen/fairlead/admin/v1/node_pb.ts";
import { goneText } from "../operations/observing/gone-proxies.ts";
import { instantOfMs } from "../runtime/instant.ts";
import { formatRevision } from "../store/revision.ts";

const STATE: Readonly<Record<ToldType["state"], NodeType_State>> = {
  idle: NodeType_State.IDLE,
  sent: NodeType_State.SENT,
  acked: NodeType_State.ACKED,
  refused: NodeType_State.REFUSED,
  missing: NodeType_State.MISSING,
};

/** A proxy as the API describes it. */
export function nodeMessage(node: ToldNode): Node {
  return create(NodeSchema, {
    id: node.id,
    cluster: node.cluster,
    fleet: node.fleet ?? "",
    envoyVersion: node.envoyVersion,
    variant: node.variant.toUpperCase(),
    connected: node.connected,
    since: instantOfMs(node.since),
    replica: node.replica,
    types: node.types.map(typeMessage),
    lagMs: BigInt(Math.round(node.lagMs)),
    revision: node.settled === undefined ? "" : formatRevision(node.settled),
    conditions: conditionsOf(node),
    peer: node.peer,
    client: node.client,
    gone: node.gone ?? false,
    region: node.region ?? "",
    zone: node.zone ?? "",
  });
}

export function unknownMessage({ replica, silentMs }: UnknownReplica) {
  return create(UnknownReplicaSchema, { replica, silent: durationFromMs(Math.round(silentMs)) });
}

function typeMessage(type: ToldType): NodeType {
  return create(NodeTypeSchema, {
    type: type.shortName,
    typeUrl: type.typeUrl,
    state: STATE[type.state],
    known: type.known,
    resources: type.resources.map(resourceMessage),
  });
}

function resourceMessage({ name, sent, acked, refused, unknown, held, content }: ToldResource) {
  return {
    name,
    versionSent: sent ?? "",
    versionAcknowledged: acked ?? "",
    versionRefused: refused?.version ?? "",
    refusal: refused?.message ?? "",
    unknown,
    held: held ?? "",
    content: content ?? "",
  };
}

/** In the proxy's words. */
function refusedText({ shortName, refusals, refused }: ToldType): string {
  const quoted = refusals.map(({ name, message }) => `${shortName} ${name}: ${message}`).join("; ");
  const more = refused - refusals.length;
  return more > 0 ? `${quoted}; and ${more} more` : quoted;
}

function conditionsOf(node: ToldNode) {
  const { silent, duplicate, id, types, gone } = node;
  const conditions = [];
  if (gone) conditions.push({ type: "Present", ok: false, reason: "GONE", message: goneText(node) });
  if (silent !== undefined) conditions.push({ type: "Served", ok: false, reason: "SILENT", message: silent });
  if (duplicate) {
    const message = `another open stream has the id ${id} too; give each proxy its own node.id (after a hot restart, this ends with the old process)`;
    conditions.push({ type: "Unique", ok: false, reason: "DUPLICATE", message });
  }
  for (const type of types) {
    if (type.refusals.length > 0)
      conditions.push({ type: "Accepted", ok: false, reason: "REFUSED", message: refusedText(type) });
    if (type.missing.length > 0)
      conditions.push({ type: "Served", ok: false, reason: "MISSING", message: missingText(type) });
  }
  return conditions;
}
