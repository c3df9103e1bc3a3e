import type { Resource } from "../../src/resources/resource.ts";
import { CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE } from "../../src/xds/protocol/resource-types.ts";
import { resourceJson } from "./envoy-types.ts";

/** As JSON that is taken apart here and put together again. */
// oxlint-disable-next-line typescript/no-explicit-any
type Json = Record<string, any>;

/** Resources as a file for Envoy: endpoints within their clusters, routes within their listeners. */
export function staticBootstrap(resources: readonly Resource[]): object {
  const bodies = (typeUrl: string): ReadonlyMap<string, Json> =>
    new Map(resources.filter((one) => one.typeUrl === typeUrl).map((one) => [one.name, resourceJson(one) as Json]));
  const [endpoints, routes] = [bodies(ENDPOINT_TYPE), bodies(ROUTE_TYPE)];
  const clusters = [...bodies(CLUSTER_TYPE)].map(([name, { edsClusterConfig: _eds, ...cluster }]) => {
    return { ...cluster, type: "STATIC", loadAssignment: endpoints.get(name) };
  });
  const listeners = [...bodies(LISTENER_TYPE)].map(([name, listener]) => {
    const manager = listener["filterChains"][0].filters[0].typedConfig;
    delete manager.rds;
    // Over RDS Envoy does not ask whether the clusters exist; in a file it does.
    manager.routeConfig = { ...routes.get(name), validateClusters: false };
    return listener;
  });
  return { staticResources: { clusters, listeners } };
}
