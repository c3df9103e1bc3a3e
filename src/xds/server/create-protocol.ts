import { ProtocolStream } from "../protocol/stream.ts";
import { honoursTtl, isGrpcClient, type NodeIdentity } from "./node-identity.ts";
import type { DiscoveryMethod } from "./services.ts";
import type { StreamHost } from "./stream-host.ts";

/** Answering this many takes some 20 ms. */
const MAX_ABSENT = 2000;

/** Creates the protocol side of one stream, with what is remembered of this client from earlier streams. */
export function createProtocol(
  host: StreamHost,
  method: DiscoveryMethod,
  streamId: string,
  node: NodeIdentity,
): ProtocolStream {
  const { limits, refusals } = host;
  const isTold = method.variant === "delta" && host.tellsRemovals(node);
  const protocol = new ProtocolStream({
    variant: method.variant,
    registry: isTold ? host.tellingRegistry : host.registry,
    aggregated: method.typeUrl === undefined,
    nonceTags: { own: `${streamId}-`, shared: host.nonceTag },
    tables: host.tables,
    waitMs: limits.waitMs,
    overtakeMs: limits.overtakeMs,
    settleMs: limits.settleMs,
    retry: { baseMs: limits.retryMs, maxMs: limits.maxRetryMs, spread: host.random.next() },
    maxResponseBytes: isGrpcClient(node) ? limits.maxGrpcResponseBytes : limits.maxResponseBytes,
    maxAbsent: MAX_ABSENT,
    takesPartly: isGrpcClient(node),
    honoursTtl: honoursTtl(node, method.variant),
  });
  for (const { typeUrl, name } of refusals.load(node.id)) protocol.remember(typeUrl, name);
  protocol.recall(host.lostAnswers.take(node.id, method.typeUrl));
  return protocol;
}
