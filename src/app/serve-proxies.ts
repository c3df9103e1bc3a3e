import type { Mirror } from "../control/mirror.ts";
import { fleetOf, proxyGroup } from "../control/proxy-group.ts";
import { selectFleet } from "../domain/fleet-selection.ts";
import { type Name, parseKeyOf, partsOf } from "../domain/name.ts";
import type { LocalNodeDirectory } from "../fleet/local-node-directory.ts";
import { featureLevelOf } from "../resources/view.ts";
import type { InstrumentedMachine } from "../runtime/machine.ts";
import type { Metrics } from "../runtime/metrics.ts";
import {
  type NodeIdentity,
  type Placement,
  REFUSING_LIMITS,
  type ResourceCache,
  XdsServer,
  type XdsServerOptions,
} from "../xds/server/library.ts";
import { isLoopback } from "./address.ts";
import { TYPE_LABELS, typeLabel } from "./type-label.ts";

type Policies = Required<Pick<XdsServerOptions, "refusals" | "fence" | "identifier" | "hold" | "admit">>;

export interface ProxyService extends Omit<InstrumentedMachine, "registry">, Policies {
  readonly cache: ResourceCache;
  readonly mirror: Mirror;
  readonly metrics: Metrics;
  readonly maxConnections: number;
}

/** The product's xDS server: serves each proxy by its fleet and its abilities. */
export function serveProxies({ mirror, metrics, maxConnections, ...rest }: ProxyService): XdsServer {
  return new XdsServer({
    ...rest,
    limits: { maxConnections },
    groupOf: (node) => placementOf(node, mirror),
    onLimit: (limit) => metrics.limitsMet.inc({ limit }),
    // It shows every fleet's resources: only for people and tools on this machine, not for all who can reach the port.
    clientStatus: ({ address }) => isLoopback(address.slice(0, address.lastIndexOf(":"))),
  });
}

/** Tells the directory and the metrics what happens on the streams. */
export function reportProxies(
  server: XdsServer,
  cache: ResourceCache,
  { nodes, metrics }: { readonly nodes: LocalNodeDirectory; readonly metrics: Metrics },
): void {
  for (const limit of REFUSING_LIMITS) metrics.limitsMet.inc({ limit }, 0);
  for (const type of TYPE_LABELS) {
    for (const counter of [metrics.sent, metrics.acknowledged, metrics.refused]) counter.inc({ type }, 0);
    for (const histogram of [metrics.sentBytes, metrics.acknowledgement]) histogram.zero({ type });
  }
  server.on("open", (client) => nodes.opened(client));
  server.on("close", (client, owed) => nodes.closed(client, owed));
  cache.onChange((group, _changes, publication) => nodes.published(fleetOf(group), publication));
  server.on("progress", (client, oldestPending) => nodes.progressed(client, oldestPending));
  server.on("sent", (_client, { typeUrl, bytes }) => {
    metrics.sent.inc({ type: typeLabel(typeUrl) });
    metrics.sentBytes.observe({ type: typeLabel(typeUrl) }, bytes);
  });
  server.on("ack", (_client, { typeUrl, tookMs }) => {
    metrics.acknowledged.inc({ type: typeLabel(typeUrl) });
    metrics.acknowledgement.observe({ type: typeLabel(typeUrl) }, tookMs / 1000);
  });
  server.on("nack", (client, { typeUrl }) => {
    metrics.refused.inc({ type: typeLabel(typeUrl) });
    nodes.refused(client);
  });
}

function placementOf(node: NodeIdentity, mirror: Mirror): Placement {
  const selection = selectFleet(node, mirror.all("fleet"));
  const own = unreadFleet(node.cluster, mirror);
  if (own !== undefined) return { silent: `the stored form of its fleet ${own} cannot be read` };
  return "fleet" in selection
    ? { group: proxyGroup({ fleet: selection.fleet.name, level: featureLevelOf(node) }) }
    : { silent: selection.reason };
}

/** A fleet that cannot be read, by the proxies that it selects by default: those with its name as `node.cluster`. */
function unreadFleet(cluster: string, mirror: Mirror): Name | undefined {
  for (const key of mirror.setAside.keys()) {
    const fleet = parseKeyOf("fleet", key);
    if (fleet === undefined || mirror.get("fleet", fleet) !== undefined) continue;
    if (partsOf("fleet", fleet).ids[0] === cluster) return fleet;
  }
  return undefined;
}
