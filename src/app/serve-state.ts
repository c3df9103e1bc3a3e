import { EventEmitter } from "node:events";
import { Fence } from "../control/fence.ts";
import { fleetOf } from "../control/proxy-group.ts";
import { Publisher } from "../control/publisher.ts";
import { LocalNodeDirectory } from "../fleet/local-node-directory.ts";
import { SharedNodeDirectory } from "../fleet/shared-node-directory.ts";
import { formatRevision } from "../store/revision.ts";
import { ResourceCache, type XdsServer } from "../xds/server/library.ts";
import { keepInStep } from "./keep-in-step.ts";
import type { Runtime } from "./prepare-runtime.ts";
import { sinkInto } from "./resource-sink.ts";
import type { RestoredState } from "./restore-state.ts";
import { reportProxies, serveProxies } from "./serve-proxies.ts";
import { watchSetAside } from "./watch-set-aside.ts";

/** What proxies are served with, and what is known of them. */
export type Serving = ReturnType<typeof serveState>;

/** What decides whether proxies are served asks this of their streams. */
type Requests = { recheckHolds: []; shed: Parameters<XdsServer["shed"]> };

/** Derives everything once, and makes the server that streams it to proxies; its port is opened later. */
export function serveState(runtime: Runtime, state: RestoredState) {
  const { config, clock, log, metrics, profiles, stops, maxConnections } = runtime;
  const { opened, store, mirror, refusals, digest, signal } = state;
  const { peers } = opened;
  const { replica } = config;

  const requests = new EventEmitter<Requests>();
  const recheckHolds = () => requests.emit("recheckHolds");
  const setAside = watchSetAside({ mirror, log, onChange: recheckHolds });
  const fence = new Fence({ store, mirror, clock, onRetry: recheckHolds });
  const inStep = keepInStep({
    ...runtime,
    ...state,
    store: opened,
    catchUp: () => fence.pass(signal),
    recheckHolds,
    shed: (order) => requests.emit("shed", order),
  });

  const cache = new ResourceCache();
  const proxies = serveProxies({
    ...runtime,
    maxConnections: maxConnections.xds,
    cache,
    mirror,
    refusals,
    fence: (ofStream) => fence.pass(ofStream),
    identifier: () => `${replica}/${formatRevision(mirror.revision)}`,
    hold: (client, resource, version) => inStep.hold() ?? setAside.hold(client, resource, version),
    admit: inStep.admit,
  });
  requests.on("recheckHolds", () => proxies.recheckHolds());
  requests.on("shed", (order) => proxies.shed(order));

  const publisher = new Publisher({
    mirror,
    sink: sinkInto(cache),
    clock,
    onFleetsChanged: () => proxies.regroup(),
    onPublished: (durationMs) => metrics.publish.observe(durationMs / 1000),
  });
  const local = new LocalNodeDirectory({
    streams: () => proxies,
    publications: publisher.log,
    clock,
    replica,
    fleetOf,
    objectsOf: (group, typeUrl, name) => publisher.resource(group, typeUrl, name)?.objects ?? [],
    onSettled: (latencyMs) => metrics.commitToAck.observe(latencyMs / 1000),
  });
  reportProxies(proxies, cache, { nodes: local, metrics });
  const nodes = new SharedNodeDirectory({ local, peers, clock });
  peers.announce(() => {
    const { revision } = mirror;
    const at = digest.at(revision);
    return {
      revision,
      news: local.changes,
      turnover: local.turnover,
      profiles,
      ...inStep.told(),
      ...(at !== undefined && { digest: at }),
    };
  });

  stops.add("proxies of other replicas", () => nodes.stop());
  stops.add("farewell to the other replicas", () => nodes.farewell());
  stops.add("comparison with the other replicas", inStep.stop);
  stops.add("streams of proxies", (graceMs) => proxies.stop({ graceMs }));
  stops.add("publishing", publisher.start());
  return {
    proxies,
    nodes,
    /** The proxies of this replica. */
    own: local,
    /** Why this replica should get no proxies. */
    notReady: () => setAside.notReady() ?? inStep.admit(),
    findings: inStep.findings,
  };
}
