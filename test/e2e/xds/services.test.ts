import { expect, it } from "vitest";
import { Cluster_LbPolicy } from "../../../src/gen/envoy/config/cluster/v3/cluster_pb.ts";
import { ResourceCache, XdsServer } from "../../../src/xds/server/library.ts";
import { startBackend } from "../../support/backend.ts";
import { startEnvoy } from "../../support/envoy.ts";
import { eventually } from "../../support/eventually.ts";
import { freePort } from "../../support/free-port.ts";
import { send } from "../../support/traffic.ts";
import { adsBootstrap } from "./ads-bootstrap.ts";
import { clusterOf, endpointsOf, listenerOf, ownStream, routeTo } from "./envoy-resources.ts";

it.each([
  { version: "1.40.0", protocol: "delta" },
  { version: "1.40.0", protocol: "sotw" },
  { version: "1.36.4", protocol: "delta" },
  { version: "1.36.4", protocol: "sotw" },
] as const)("11: Envoy $version is served over one $protocol stream per type", async ({ version, protocol }) => {
  await using backend = await startBackend("x");
  const port = await freePort();
  const source = ownStream(protocol);
  const cache = new ResourceCache();
  cache.update("g", (tx) => {
    tx.set(clusterOf("x", Cluster_LbPolicy.ROUND_ROBIN, source));
    tx.set(endpointsOf("x", backend.port));
    tx.set(listenerOf("l", port, "r", source));
    tx.set(routeTo("r", "x"));
  });
  const server = new XdsServer({ cache, groupOf: () => "g" });
  const bootstrap = adsBootstrap({ xds: await server.listen("127.0.0.1:0"), nodeId: "n1", cluster: "g" });
  const apiSource = {
    resource_api_version: "V3",
    api_config_source: {
      api_type: protocol === "delta" ? "DELTA_GRPC" : "GRPC",
      transport_api_version: "V3",
      grpc_services: [{ envoy_grpc: { cluster_name: "xds" } }],
    },
  };
  await using envoy = await startEnvoy({
    bootstrap: { ...bootstrap, dynamic_resources: { cds_config: apiSource, lds_config: apiSource } },
    version,
  });
  await envoy.ready();
  await eventually(
    () => send({ url: `http://127.0.0.1:${port}/` }),
    (answer) => answer.backend === "x",
    { what: "x answers" },
  );
  cache.update("g", (tx) => tx.set(clusterOf("x", Cluster_LbPolicy.LEAST_REQUEST, source)));
  await eventually(
    () => envoy.stats(/cluster_modified|warming_clusters/),
    (stats) => {
      return stats.get("cluster_manager.cluster_modified") === 1 && stats.get("cluster_manager.warming_clusters") === 0;
    },
    { what: "the changed cluster is in use" },
  );
  expect(new Set(server.clients().map(({ method }) => method.split("/")[0]))).toEqual(
    new Set([
      "envoy.service.cluster.v3.ClusterDiscoveryService",
      "envoy.service.endpoint.v3.EndpointDiscoveryService",
      "envoy.service.listener.v3.ListenerDiscoveryService",
      "envoy.service.route.v3.RouteDiscoveryService",
    ]),
  );
  await server.stop({ graceMs: 100 });
});
