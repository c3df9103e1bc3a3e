import { describe, expect, it } from "vitest";
import {
  type CachedResource,
  prepareResource,
  type ResourceInput,
  RUNTIME_TYPE,
  resourceFromJson,
} from "../../../src/xds/server/library.ts";
import { eventually } from "../../support/eventually.ts";
import { type Bench, MATRIX, startBench } from "./bench.ts";
import { clusterOf, endpointsOf, listenerOf, routeTo } from "./envoy-resources.ts";
import { layerOf, runtimeValue, withRuntimeLayer } from "./runtime-layer.ts";

const TTL_MS = 1500;

/** The same resource, with a time to live. */
function expiring(input: ResourceInput): ResourceInput {
  const { typeUrl, name, body, references }: CachedResource = prepareResource(input);
  return { typeUrl, name, body, references, ttlMs: TTL_MS };
}

/** Everything expires, but a second cluster, which holds on to endpoints that do. */
async function serveExpiring(bench: Bench): Promise<void> {
  const port = await bench.backend("x");
  bench.update((tx) => {
    tx.set(expiring(clusterOf("x")));
    tx.set(expiring(endpointsOf("x", port)));
    tx.set(clusterOf("lasting"));
    tx.set(expiring(endpointsOf("lasting", port)));
    tx.set(expiring(listenerOf("l", bench.listenPort, "r")));
    tx.set(expiring(routeTo("r", "x")));
    tx.set(expiring(resourceFromJson(RUNTIME_TYPE, layerOf({ "test.level": 7 }))));
  });
}

async function hostsOf(bench: Bench, cluster: string): Promise<number> {
  const { cluster_statuses: clusters = [] } = (await bench.envoy?.clusters()) ?? {};
  return clusters.find(({ name }) => name === cluster)?.host_statuses?.length ?? 0;
}

/** What of all that Envoy has at this moment. */
async function present(bench: Bench): Promise<object> {
  return {
    removed: await bench.stat("cluster_manager.cluster_removed"),
    listeners: await bench.stat("listener_manager.total_listeners_active"),
    level: await runtimeValue(bench, "test.level"),
    lastingHosts: await hostsOf(bench, "lasting"),
  };
}

const ALL = { removed: 0, listeners: 1, level: "7", lastingHosts: 1 };

describe.each(MATRIX.filter(({ protocol }) => protocol === "delta"))(
  "TTLs by delta ADS to Envoy $version",
  ({ version }) => {
    it("xds R10, R11, R12: heartbeats keep everything; without them all goes but the hosts, and a server that is back brings it again", async () => {
      await using bench = await startBench(version, "delta", serveExpiring, withRuntimeLayer);
      await bench.answeredBy("x");
      await bench.settled();
      const heartbeats = bench.sent.length;
      // Each of five types renews thrice per TTL: this many take more than two of them.
      await eventually(
        () => bench.sent.length,
        (sent) => sent >= heartbeats + 5 * 7,
        { what: "heartbeats for longer than two TTLs" },
      );
      expect(await present(bench)).toEqual(ALL);
      expect(await bench.stat("cluster_manager.cluster_modified")).toBe(0);
      expect(bench.nacks).toEqual([]);

      await bench.server?.stop({ graceMs: 100 });
      await eventually(
        () => present(bench),
        (now) =>
          JSON.stringify(now) === JSON.stringify({ removed: 1, listeners: 0, level: undefined, lastingHosts: 1 }),
        { what: "all but the hosts has gone", timeoutMs: 10_000 },
      );
      await bench.serve();
      await bench.answeredBy("x");
      await eventually(
        () => runtimeValue(bench, "test.level"),
        (level) => level === "7",
        { what: "the layer is back" },
      );
      expect(bench.nacks).toEqual([]);
    });
  },
);

describe.each(MATRIX.filter(({ protocol }) => protocol === "sotw"))(
  "TTLs by SotW ADS to Envoy $version",
  ({ version }) => {
    it("xds R10: are not sent to who does not announce that it takes resources wrapped, so nothing expires", async () => {
      await using bench = await startBench(version, "sotw", serveExpiring, withRuntimeLayer);
      await bench.answeredBy("x");
      await bench.settled();
      expect(await present(bench)).toEqual(ALL);
      await bench.server?.stop({ graceMs: 100 });
      const stopped = performance.now();
      await eventually(
        () => performance.now() - stopped,
        (passedMs) => passedMs > 2 * TTL_MS,
        { what: "two TTLs have passed" },
      );
      expect(await present(bench)).toEqual(ALL);
      expect(bench.nacks).toEqual([]);
    });
  },
);
