import { create } from "@bufbuild/protobuf";
import {
  NodesQuestion_Detail as Detail,
  type NodeList,
  NodeListSchema,
  type NodesQuestion,
  NodesQuestionSchema,
  PeerCollectionsSchema,
  type PeerNode,
  type PeerNodeResource,
  PeerProgressSchema,
  type ProgressAnswer,
  ProgressAnswerSchema,
  type RefusalList,
  RefusalListSchema,
} from "../gen/fairlead/peers/v1/proxies_pb.ts";
import { formatRevision, parseRevision } from "../store/revision.ts";
import type {
  FleetProgress,
  NodeQuery,
  Progress,
  Refusal,
  ToldNode,
  ToldResource,
  ToldType,
} from "./node-directory.ts";

// What replicas tell each other about their proxies, to and from the wire. Anything that a later release adds is ignored,
// and so are values that no proxy can have.

/** Longest proxy id that is accepted from another replica, in characters. */
const MAX_ID_LENGTH = 1024;

/** Who reported it, and when: milliseconds since the epoch by this replica's clock. */
export interface Heard {
  readonly replica: string;
  readonly at: number;
}

const DETAIL = {
  place: Detail.PLACE,
  types: Detail.TYPES,
  resources: Detail.RESOURCES,
  contents: Detail.CONTENTS,
} as const;

export function toNodesQuestion({ detail = "types", id, sent, typeUrl }: NodeQuery): NodesQuestion {
  return create(NodesQuestionSchema, { detail: DETAIL[detail], id, sent, typeUrl });
}

export function fromNodesQuestion({ detail, id, sent, typeUrl }: NodesQuestion): NodeQuery {
  const named = Object.entries(DETAIL).find(([, value]) => value === detail)?.[0] as keyof typeof DETAIL | undefined;
  return {
    detail: named ?? "types",
    ...(id !== undefined && { id }),
    ...(typeUrl !== undefined && { typeUrl }),
    ...(sent !== undefined && { sent: { typeUrl: sent.typeUrl, name: sent.name } }),
  };
}

export function toNodeList(nodes: readonly ToldNode[]): NodeList {
  return create(NodeListSchema, {
    nodes: nodes.map(({ variant, settled, types, handedOver = false, ...node }) => ({
      ...node,
      handedOver,
      delta: variant === "delta",
      settled: settled && formatRevision(settled),
      types: types.map(({ resources, refusals, missing, ...type }) => ({
        ...type,
        resources: resources.map(({ acked, ...one }) => ({ ...one, acknowledged: acked })),
        refusals: refusals.map((one) => ({ ...one })),
        missing: [...missing],
      })),
    })),
  });
}

/** A replica is believed about proxies that are connected to it, but not about any that are connected elsewhere. */
export function fromNodeList({ nodes }: NodeList, heard: Heard): ToldNode[] {
  const believed = nodes.filter(
    ({ id, connected, replica }) => id.length <= MAX_ID_LENGTH && (!connected || replica === heard.replica),
  );
  return believed.map((node) => ({
    id: node.id,
    cluster: node.cluster,
    fleet: node.fleet,
    silent: node.silent,
    silentSince: node.silentSince === undefined ? undefined : pastTime(node.silentSince, heard.at),
    client: node.client,
    envoyVersion: node.envoyVersion,
    ...(node.region !== undefined && { region: node.region }),
    ...(node.zone !== undefined && { zone: node.zone }),
    variant: node.delta ? "delta" : "sotw",
    connected: node.connected,
    since: pastTime(node.since, heard.at),
    peer: node.peer,
    replica: node.replica,
    ...(node.handedOver && { handedOver: true }),
    sole: node.sole,
    duplicate: node.duplicate,
    types: node.types.map(fromType),
    lagMs: node.lagMs >= 0 && Number.isFinite(node.lagMs) ? node.lagMs : 0,
    settled: node.settled === undefined ? undefined : parseRevision(node.settled),
  }));
}

/** No later than when it was reported: a time in the future would keep the proxy from being forgotten in time. */
function pastTime(since: number, heardAt: number): number {
  return since >= 0 && since <= heardAt ? since : heardAt;
}

const TYPE_STATES: readonly string[] = ["idle", "sent", "acked", "refused", "missing"] satisfies ToldType["state"][];

function fromType(type: PeerNode["types"][number]): ToldType {
  const { typeUrl, shortName, state, known, resources, refusals, refused, missing } = type;
  return {
    typeUrl,
    shortName,
    state: TYPE_STATES.includes(state) ? (state as ToldType["state"]) : "idle",
    known,
    resources: resources.map(fromResource),
    refusals: refusals.map(({ name, message }) => ({ name, message })),
    refused,
    missing,
  };
}

function fromResource({ name, sent, acknowledged, refused, unknown, held, content }: PeerNodeResource): ToldResource {
  return {
    name,
    sent,
    acked: acknowledged,
    refused: refused && { version: refused.version, message: refused.message },
    unknown,
    held,
    content,
  };
}

export function toProgressAnswer({ progress, settledAfterMs }: FleetProgress): ProgressAnswer {
  const answer = create(ProgressAnswerSchema, { settledAfterMs });
  for (const [id, one] of progress) {
    if (one.state === "done") {
      answer.done.push(id);
      if (one.collections === undefined) continue;
      const { named, asked } = one.collections;
      answer.collections.push(create(PeerCollectionsSchema, { id, named: [...named], asked: [...asked] }));
    } else answer.pending.push(create(PeerProgressSchema, { id, ...one }));
  }
  return answer;
}

const PENDING_STATES: readonly string[] = ["sent", "held", "disconnected", "unknown", "refused"] satisfies Exclude<
  Progress["state"],
  "done"
>[];

export function fromProgressAnswer(answer: ProgressAnswer): FleetProgress {
  const { done, pending, settledAfterMs } = answer;
  const collections = new Map(answer.collections.map(({ id, named, asked }) => [id, { named, asked }]));
  const progress = new Map<string, Progress>([
    ...done.map((id): [string, Progress] => {
      const own = collections.get(id);
      return [id, own === undefined ? { state: "done" } : { state: "done", collections: own }];
    }),
    ...pending.map(({ id, state, message, leftAt, nothingDue }): [string, Progress] => {
      if (state === "disconnected")
        return [id, { state, message, leftAt: isTime(leftAt) ? leftAt : undefined, nothingDue }];
      return [id, { state: PENDING_STATES.includes(state) ? (state as "unknown") : "unknown", message }];
    }),
  ]);
  return { progress, settledAfterMs: isTime(settledAfterMs) ? settledAfterMs : undefined };
}

function isTime(ms: number | undefined): boolean {
  return ms !== undefined && ms >= 0 && Number.isFinite(ms);
}

export function toRefusalList(refusals: readonly Refusal[]): RefusalList {
  return create(RefusalListSchema, {
    refusals: refusals.map((refusal) => ({ ...refusal, objects: refusal.objects.map((object) => ({ ...object })) })),
  });
}

export function fromRefusalList({ refusals }: RefusalList, heard: Heard): Refusal[] {
  return refusals.map(({ nodeId, typeUrl, resource, version, message, at, objects }) => ({
    nodeId,
    typeUrl,
    resource,
    version,
    message,
    at: pastTime(at, heard.at),
    objects: objects.map(({ kind, name }) => ({ kind, name })),
  }));
}
