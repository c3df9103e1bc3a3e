import type { Revision } from "../store/revision.ts";
import type { NodeView, TypeView } from "./node-directory.ts";
import type { StreamRefusal, StreamResource, StreamStatus, StreamType } from "./stream-status.ts";

/** A stream as people see the proxy behind it. */
export function viewOf(
  status: StreamStatus,
  { replica, lagMs, settled }: { replica: string; lagMs: number; settled: Revision | undefined },
): NodeView {
  return {
    id: status.node.id,
    cluster: status.node.cluster,
    fleet: status.group,
    silent: status.silent,
    envoyVersion: status.node.userAgentVersion,
    variant: status.variant,
    connected: true,
    since: status.openedAt,
    peer: status.peer.address,
    replica,
    duplicate: status.duplicate,
    types: status.types.map(typeView),
    lagMs,
    settled,
  };
}

function typeView(type: StreamType): TypeView {
  const refused = type.resources.some((resource) => resource.refused !== undefined);
  const state = refused ? "refused" : type.inFlight.length > 0 ? "sent" : type.resources.length > 0 ? "acked" : "idle";
  return {
    typeUrl: type.typeUrl,
    shortName: type.shortName,
    state,
    resources: type.resources.map(({ name, sent, acked, refused: refusal, unknown, held }) => ({
      name,
      sent,
      acknowledged: acked,
      refused: refusal === undefined ? undefined : { version: refusal.version, message: refusal.message },
      unknown,
      held,
    })),
  };
}

/**
 * Whether a refusal is about this resource, for people. Envoy gives one text for a whole response; where the text names
 * some of the resources that it refused, it is about those, otherwise about all of them.
 */
export function isNamed(name: string, refusal: StreamRefusal, resources: readonly StreamResource[]): boolean {
  if (mentions(refusal.message, name)) return true;
  return !resources.some(
    (other) => other.refused?.message === refusal.message && mentions(refusal.message, other.name),
  );
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
