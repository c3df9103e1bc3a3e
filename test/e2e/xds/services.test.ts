import { expect, it } from "vitest";
import { Cluster_LbPolicy } from "../../../src/gen/envoy/config/cluster/v3/cluster_pb.ts";
import {
  ResourceCache,
  type ResourceInput,
  ROUTE_TYPE,
  RUNTIME_TYPE,
  resourceFromJson,
  XdsServer,
} from "../../../src/xds/server/library.ts";
import { startBackend } from "../../support/backend.ts";
import type { KeyPair } from "../../support/certificates.ts";
import { startEnvoy } from "../../support/envoy.ts";
import { eventually } from "../../support/eventually.ts";
import { freePort } from "../../support/free-port.ts";
import { send } from "../../support/traffic.ts";
import { adsBootstrap } from "./ads-bootstrap.ts";
import { MATRIX } from "./bench.ts";
import { clusterOf, endpointsOf, listenerOf, ownStream, routeTo } from "./envoy-resources.ts";
import {
  discoveredFault,
  everythingTo,
  faultOf,
  httpListener,
  ownStreamJson,
  scopedRoutes,
  scopeTo,
} from "./json-resources.ts";
import { layerOf, withRuntimeLayer } from "./runtime-layer.ts";
import { EDGE_SECRET, edgePair, edgeSecret, handshake, serialOf } from "./tls-edge.ts";

it.each(MATRIX)("Envoy $version is served over one $protocol stream per type", async ({ version, protocol }) => {
  await using backend = await startBackend("x");
  const [plain, tls, scoped] = [await freePort(), await freePort(), await freePort()];
  const source = ownStreamJson(protocol);
  const [first, second] = [edgePair(), edgePair()];
  const cache = new ResourceCache();
  cache.update("g", (tx) => {
    tx.set(clusterOf("x", Cluster_LbPolicy.ROUND_ROBIN, ownStream(protocol)));
    tx.set(endpointsOf("x", backend.port));
    tx.set(listenerOf("plain", plain, "r", ownStream(protocol)));
    tx.set(routeTo("r", "x"));
    tx.set(tlsListener(tls, source));
    tx.set(edgeSecret(first));
    tx.set(
      httpListener({ name: "scoped", port: scoped, manager: scopedRoutes(source), filters: [discoveredFault(source)] }),
    );
    tx.set(scopeTo("blue", "r"));
    tx.set(faultOf(0));
    tx.set(resourceFromJson(RUNTIME_TYPE, layerOf({ "test.level": 7 })));
  });
  const server = new XdsServer({ cache, groupOf: () => "g" });
  const nacks: unknown[] = [];
  server.on("nack", (_client, nack) => nacks.push(nack));
  const bootstrap = adsBootstrap({ xds: await server.listen("127.0.0.1:0"), nodeId: "n1", cluster: "g" });
  const config = {
    ...withRuntimeLayer(bootstrap, source),
    dynamic_resources: { cds_config: source, lds_config: source },
  };
  await using envoy = await startEnvoy({ bootstrap: config, version });
  await envoy.ready();
  const answers = async (port: number, status: number) => {
    const ask = () => send({ url: `http://127.0.0.1:${port}/`, headers: { "x-scope": "blue" } });
    await eventually(ask, (answer) => answer.status === status, { what: `port ${port} answers ${status}` });
  };
  await answers(plain, 200);
  await answers(scoped, 200);
  await serves(tls, first);

  cache.update("g", (tx) => tx.set(clusterOf("x", Cluster_LbPolicy.LEAST_REQUEST, ownStream(protocol))));
  await eventually(
    () => envoy.stats(/cluster_modified|warming_clusters/),
    (stats) => {
      return stats.get("cluster_manager.cluster_modified") === 1 && stats.get("cluster_manager.warming_clusters") === 0;
    },
    { what: "the changed cluster is in use" },
  );
  cache.update("g", (tx) => tx.set(edgeSecret(second)));
  await serves(tls, second);
  cache.update("g", (tx) => tx.set(faultOf(100)));
  await answers(scoped, 418);
  cache.update("g", (tx) => {
    tx.set(faultOf(0));
    tx.set(resourceFromJson(ROUTE_TYPE, { name: "none" }));
    tx.set(scopeTo("blue", "none"));
  });
  await answers(scoped, 404);
  cache.update("g", (tx) => tx.set(resourceFromJson(RUNTIME_TYPE, layerOf({ "test.level": 8 }))));
  await eventually(
    () => envoy.get("/runtime?format=json"),
    (runtime) => runtime.includes('"8"'),
    { what: "the changed layer is in use" },
  );
  const services = server.clients().map(({ method }) => /v3\.(\w+)\//.exec(method)?.[1]);
  const all = [
    "ClusterDiscoveryService",
    "EndpointDiscoveryService",
    "ExtensionConfigDiscoveryService",
    "ListenerDiscoveryService",
    "RouteDiscoveryService",
    "RuntimeDiscoveryService",
    "ScopedRoutesDiscoveryService",
    "SecretDiscoveryService",
  ];
  expect(new Set(services)).toEqual(new Set(all));
  expect(new Set(server.clients().map(({ variant }) => variant))).toEqual(new Set([protocol]));
  expect(nacks).toEqual([]);
  await server.stop({ graceMs: 100 });
});

type Source = ReturnType<typeof ownStreamJson>;

function tlsListener(port: number, source: Source): ResourceInput {
  const manager = { routeConfig: everythingTo("x") };
  const tls = { tlsCertificateSdsSecretConfigs: [{ name: EDGE_SECRET, sdsConfig: source }] };
  return httpListener({ name: "tls", port, manager, tls });
}

async function serves(port: number, pair: KeyPair): Promise<void> {
  await eventually(
    () => handshake(port),
    (serial) => serial === serialOf(pair),
    { what: "the certificate is served" },
  );
}
