import { isGrpcLibrary } from "../domain/grpc-clients.ts";
import type { ResourceHolding, StandingRefusal } from "../xds/protocol/resource-holding.ts";
import type { StreamHolding, StreamRef, TypeHolding } from "../xds/protocol/stream-holding.ts";
import {
  MAX_CONTENT_LENGTH,
  type NodeQuery,
  type ToldNode,
  type ToldResource,
  type ToldType,
} from "./node-directory.ts";

/** For each type. */
const MAX_QUOTED = 3;

/** What is told beside the stream. */
type Surroundings = Pick<ToldNode, "replica" | "fleet" | "since" | "connected" | "lagMs" | "settled">;

/** A stream as people see the proxy behind it. */
export function toldNode(
  stream: StreamRef & Partial<Pick<StreamHolding, "silent" | "silentSince" | "duplicate">>,
  types: readonly ToldType[],
  surroundings: Surroundings,
): ToldNode {
  return {
    id: stream.node.id,
    cluster: stream.node.cluster,
    silent: stream.silent,
    silentSince: stream.silentSince,
    client: stream.node.userAgentName,
    envoyVersion: stream.node.userAgentVersion,
    region: stream.node.locality?.region || undefined,
    zone: stream.node.locality?.zone || undefined,
    variant: stream.variant,
    peer: stream.peer.address,
    sole: stream.sole,
    duplicate: stream.duplicate ?? false,
    types,
    ...surroundings,
  };
}

/** The types that are asked for, each with as much about it as is asked for. */
export function toldTypes({ types, node }: StreamHolding, { detail, typeUrl }: NodeQuery): ToldType[] {
  if (detail === "place") return [];
  let room = MAX_CONTENT_LENGTH;
  return types
    .filter((type) => (typeUrl ?? type.typeUrl) === type.typeUrl)
    .map((type) =>
      toldType(type, { detail, isGrpc: isGrpcLibrary(node.userAgentName) }, (name) => {
        const content = room > 0 ? type.content(name) : undefined;
        room -= content?.length ?? 0;
        return room > 0 ? content : undefined;
      }),
    );
}

/** @param contentOf Returns what was sent under a name; called only for the `contents` detail. */
function toldType(
  type: TypeHolding,
  { detail, isGrpc }: { readonly detail: NodeQuery["detail"]; readonly isGrpc: boolean },
  contentOf: (name: string) => string | undefined,
): ToldType {
  const toBlame = type.refused.length > 0 ? blamed(type.refused) : [];
  const isListed = detail === "resources" || detail === "contents";
  const names = new Set(isListed ? toBlame.map(({ name }) => name) : []);
  // Envoy waits for what it asked for. A library fails its calls, whatever else it has.
  const missing = isGrpc ? type.missing.slice(0, MAX_QUOTED) : [];
  const settled = missing.length > 0 ? "missing" : type.known > 0 ? "acked" : "idle";
  const state = toBlame.length > 0 ? "refused" : type.inFlight.length > 0 ? "sent" : settled;
  // A resource refused only because it shared a response with another is not shown as refused: what became of it is unknown.
  const told = ({ name, sent, acked, refused, unknown, held }: ResourceHolding): ToldResource => ({
    name,
    sent,
    acked,
    refused: refused && names.has(name) ? { version: refused.version, message: refused.message } : undefined,
    unknown,
    held,
    ...(detail === "contents" && { content: contentOf(name) }),
  });
  return {
    typeUrl: type.typeUrl,
    shortName: type.shortName,
    state,
    known: type.known,
    resources: isListed ? type.resources.map(told) : [],
    refusals: toBlame.slice(0, MAX_QUOTED).map(({ name, refused }) => ({ name, message: refused.message })),
    refused: toBlame.length,
    missing,
  };
}

/** What a gRPC client asks for in vain, and what would be right. */
export function missingText({ shortName, missing }: Pick<ToldType, "shortName" | "missing">): string {
  const names = missing.join(", ");
  if (shortName === "LDS") {
    return `its calls to ${names} fail: no route on a listener of protocol GRPC of its fleet has that host`;
  }
  return shortName === "CDS"
    ? `calls led to ${names} fail: there is no such service, or no route on a listener of protocol GRPC of its fleet leads to it`
    : `calls fail: there is no ${shortName} ${names}`;
}

/**
 * The refused resources of one type that are to blame, for people to read. Envoy gives one text for a whole response: if
 * it names some of the refused resources, it is about those, otherwise about all of them.
 */
export function blamed(
  refused: readonly ResourceHolding[],
): (ResourceHolding & { readonly refused: StandingRefusal })[] {
  const all = refused.flatMap((resource) =>
    resource.refused === undefined ? [] : { ...resource, refused: resource.refused },
  );
  return [...Map.groupBy(all, (resource) => resource.refused.message)].flatMap(([message, ofMessage]) => {
    const named = ofMessage.filter(({ name }) => mentions(message, name));
    return named.length > 0 ? named : ofMessage;
  });
}

function mentions(message: string, name: string): boolean {
  for (let at = message.indexOf(name); at >= 0; at = message.indexOf(name, at + 1)) {
    if (!isWord(message[at - 1]) && !isWord(message[at + name.length])) return true;
  }
  return false;
}

function isWord(character: string | undefined): boolean {
  return character !== undefined && /[A-Za-z0-9_-]/.test(character);
}
