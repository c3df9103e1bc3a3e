import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ENVOY_VERSIONS, provideEnvoy } from "../../scripts/components/envoy.ts";
import { deriveFleet } from "../../src/resources/derive-fleet.ts";
import {
  CLUSTER_TYPE,
  ENDPOINTS_TYPE,
  LISTENER_TYPE,
  type Resource,
  ROUTE_TYPE,
} from "../../src/resources/resource.ts";
import { resourceJson } from "../support/envoy-types.ts";
import { goldenCases, goldenState } from "../support/golden-cases.ts";
import { tempFolder } from "../support/temp-folder.ts";

/** As JSON that is taken apart here and put together again. */
// oxlint-disable-next-line typescript/no-explicit-any
type Json = Record<string, any>;

describe.each(Object.values(ENVOY_VERSIONS))("Envoy %s", (version) => {
  test.each(goldenCases())("takes the resources of %s", (file) => {
    const { path: program } = provideEnvoy({ version, orOther: false, progress: () => {} });
    using folder = tempFolder();
    const config = join(folder.path, "config.json");
    const state = goldenState(file);
    for (const fleet of state.all("fleet")) {
      writeFileSync(config, JSON.stringify(asStatic(deriveFleet(state, fleet).resources)));
      const output = execFileSync(program, ["--mode", "validate", "-c", config], { encoding: "utf8", stdio: "pipe" });
      expect(output).toContain("OK");
    }
  });
});

/** The same resources in a file: endpoints within their clusters, routes within their listeners. */
function asStatic(resources: readonly Resource[]): object {
  const bodies = (typeUrl: string): ReadonlyMap<string, Json> =>
    new Map(resources.filter((one) => one.typeUrl === typeUrl).map((one) => [one.name, resourceJson(one) as Json]));
  const [endpoints, routes] = [bodies(ENDPOINTS_TYPE), bodies(ROUTE_TYPE)];
  const clusters = [...bodies(CLUSTER_TYPE)].map(([name, { edsClusterConfig: _eds, ...cluster }]) => {
    return { ...cluster, type: "STATIC", loadAssignment: endpoints.get(name) };
  });
  const listeners = [...bodies(LISTENER_TYPE)].map(([name, listener]) => {
    const manager = listener["filterChains"][0].filters[0].typedConfig;
    delete manager.rds;
    manager.routeConfig = { ...routes.get(name), validateClusters: false };
    return listener;
  });
  return { staticResources: { clusters, listeners } };
}
