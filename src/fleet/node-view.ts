import type { Revision } from "../store/revision.ts";
import type { NodeQuery, NodeView, ResourceView, TypeView } from "./node-directory.ts";
import type { StreamRef, StreamRefusal, StreamResource, StreamStatus, StreamType } from "./stream-status.ts";

/** What a view adds to its stream. */
interface Surroundings {
  readonly replica: string;
  readonly fleet: string | undefined;
  readonly since: number;
  readonly connected: boolean;
  readonly lagMs: number;
  readonly settled: Revision | undefined;
}

/** A stream as people see the proxy behind it. */
export function viewOf(
  stream: StreamRef & Partial<Pick<StreamStatus, "silent" | "duplicate">>,
  types: readonly TypeView[],
  surroundings: Surroundings,
): NodeView {
  return {
    id: stream.node.id,
    cluster: stream.node.cluster,
    silent: stream.silent,
    envoyVersion: stream.node.userAgentVersion,
    variant: stream.variant,
    peer: stream.peer.address,
    sole: stream.sole,
    duplicate: stream.duplicate ?? false,
    types,
    ...surroundings,
  };
}

export function typeView(type: StreamType, detail: NodeQuery["detail"]): TypeView {
  const isRefused = type.refused.length > 0;
  const state = isRefused ? "refused" : type.inFlight.length > 0 ? "sent" : type.known > 0 ? "acked" : "idle";
  return {
    typeUrl: type.typeUrl,
    shortName: type.shortName,
    state,
    known: type.known,
    resources: detail === "resources" ? type.resources.map(resourceView) : [],
  };
}

function resourceView({ name, sent, acked, refused, unknown, held }: StreamResource): ResourceView {
  return {
    name,
    sent,
    acknowledged: acked,
    refused: refused === undefined ? undefined : { version: refused.version, message: refused.message },
    unknown,
    held,
  };
}

/**
 * The refused resources of one type that their refusals are about, for people. Envoy gives one text for a whole response;
 * where the text names some of the resources that it refused, it is about those, otherwise about all of them.
 */
export function blamed(refused: readonly StreamResource[]): (StreamResource & { readonly refused: StreamRefusal })[] {
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
