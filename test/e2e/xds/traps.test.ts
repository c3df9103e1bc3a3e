import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { Cluster_LbPolicy } from "../../../src/gen/envoy/config/cluster/v3/cluster_pb.ts";
import { RouteMatchSchema } from "../../../src/gen/envoy/config/route/v3/route_components_pb.ts";
import { type RouteConfiguration, RouteConfigurationSchema } from "../../../src/gen/envoy/config/route/v3/route_pb.ts";
import { CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE } from "../../../src/xds/server/library.ts";
import { eventually } from "../../support/eventually.ts";
import { send, Traffic } from "../../support/traffic.ts";
import { type Bench, MATRIX, startBench } from "./bench.ts";
import { badCluster, badEndpoints, clusterOf, endpointsOf, listenerOf, routeTo } from "./envoy-resources.ts";

async function serveX(bench: Bench): Promise<void> {
  const port = await bench.backend("x");
  bench.update((tx) => {
    tx.set(clusterOf("x"));
    tx.set(endpointsOf("x", port));
    tx.set(listenerOf("l", bench.listenPort, "r"));
    tx.set(routeTo("r", "x"));
  });
}

describe.each(MATRIX)("Envoy $version over $protocol ADS", ({ version, protocol }) => {
  it("xds R1, R2, R3, R8, R25: clusters change and take turns under traffic without one failed request and without warming", async () => {
    await using bench = await startBench(version, protocol, serveX);
    await bench.answeredBy("x");
    const y = await bench.backend("y");
    await using traffic = new Traffic({ url: bench.url });
    bench.update((tx) => tx.set(clusterOf("x", Cluster_LbPolicy.LEAST_REQUEST)));
    await bench.settled();
    bench.update((tx) => {
      tx.set(clusterOf("y"));
      tx.set(endpointsOf("y", y));
      tx.set(routeTo("r", "y"));
      tx.delete(CLUSTER_TYPE, "x");
      tx.delete(ENDPOINT_TYPE, "x");
    });
    await bench.settled();
    const after = await traffic.more(50);
    expect(new Set(after.map(({ backend }) => backend))).toEqual(new Set(["y"]));
    expect(traffic.failures()).toEqual([]);
    expect(await bench.stat("cluster_manager.warming_clusters")).toBe(0);
    expect(await bench.stat("cluster_manager.cluster_removed")).toBe(1);
    expect(bench.nacks).toEqual([]);
  });

  it("xds R16: of endpoint sets that were refused together, what is good is accepted in the end", async () => {
    const names = ["a", "b", "c", "d", "e", "f"];
    await using bench = await startBench(version, protocol, async (each) => {
      each.limits = { retryMs: 50 };
      const port = await each.backend("x");
      each.update((tx) => {
        for (const name of names) {
          tx.set(clusterOf(name));
          tx.set(endpointsOf(name, port));
        }
      });
    });
    await bench.envoy?.ready();
    await bench.settled();
    const y = await bench.backend("y");
    bench.update((tx) => {
      for (const name of names) tx.set(name === "c" ? badEndpoints(name) : endpointsOf(name, y));
    });
    const refused = () => bench.server?.clients()[0]?.types.find(({ typeUrl }) => typeUrl === ENDPOINT_TYPE)?.refused;
    await eventually(
      () => refused()?.map(({ name }) => name),
      (found) => found?.join() === "c",
      { what: "only what is bad is refused", timeoutMs: 10_000 },
    );
    const { cluster_statuses: clusters = [] } = (await bench.envoy?.clusters()) ?? {};
    const moved = clusters.filter(({ host_statuses: hosts }) =>
      hosts?.some(({ address }) => address.socket_address.port_value === y),
    );
    expect(moved.map(({ name }) => name).toSorted()).toEqual(names.filter((name) => name !== "c"));
  });

  it("xds R23: is ready at once when there is nothing for it", async () => {
    await using bench = await startBench(version, protocol, async (each) => {
      each.update(() => undefined);
    });
    const started = performance.now();
    await bench.envoy?.ready(10_000);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it("xds D11, R8: is ready at once when a cluster has no endpoints at all", async () => {
    await using bench = await startBench(version, protocol, async (each) => {
      each.update((tx) => tx.set(clusterOf("empty")));
    });
    await bench.envoy?.ready(10_000);
    expect(bench.nacks).toEqual([]);
  });

  it("xds R4, R26: a stream that begins with endpoints is served, and warming ends", async () => {
    await using bench = await startBench(version, protocol, serveX);
    await bench.answeredBy("x");
    await bench.settled();
    bench.held.add(`${ENDPOINT_TYPE} x`);
    bench.update((tx) => tx.set(clusterOf("x", Cluster_LbPolicy.LEAST_REQUEST)));
    await eventually(
      () => bench.stat("cluster_manager.warming_clusters"),
      (count) => count === 1,
      { what: "x warms" },
    );
    bench.held.clear();
    await bench.restart();
    await eventually(
      () => bench.stat("cluster_manager.warming_clusters"),
      (count) => count === 0,
      {
        what: "warming ends",
        timeoutMs: 10_000,
      },
    );
    expect(bench.firstTypes[0]).toBe(ENDPOINT_TYPE);
    await bench.answeredBy("x");
  });

  it("xds P3: a cluster that is stuck in warming is repaired by another update", async () => {
    await using bench = await startBench(version, protocol, serveX);
    await bench.answeredBy("x");
    bench.held.add(`${ENDPOINT_TYPE} stuck`);
    bench.update((tx) => tx.set(clusterOf("stuck")));
    await eventually(
      () => bench.stat("cluster_manager.warming_clusters"),
      (count) => count === 1,
      { what: "it warms" },
    );
    bench.update((tx) => tx.delete(CLUSTER_TYPE, "stuck"));
    await eventually(
      () => bench.stat("cluster_manager.warming_clusters"),
      (count) => count === 0,
      {
        what: "warming ends",
        timeoutMs: 10_000,
      },
    );
    await bench.answeredBy("x");
    expect(bench.nacks).toEqual([]);
  });

  it("xds R16: what was refused in part is put right on the next stream, whatever is presented there", async () => {
    await using bench = await startBench(version, protocol, serveX);
    await bench.answeredBy("x");
    await bench.settled();
    bench.update((tx) => {
      tx.set(clusterOf("x", Cluster_LbPolicy.LEAST_REQUEST));
      tx.set(badCluster("bad"));
    });
    await eventually(
      () => bench.nacks.length,
      (count) => count > 0,
      { what: "the update is refused" },
    );
    expect(bench.nacks[0]?.message).toContain("bad");
    await bench.restart((tx) => {
      tx.set(clusterOf("x"));
      tx.delete(CLUSTER_TYPE, "bad");
    });
    await bench.settled();
    const dump = JSON.stringify(await bench.envoy?.configDump());
    expect(dump).not.toContain("LEAST_REQUEST");
    await bench.answeredBy("x");
  });

  it("xds R16: what was applied of a response whose refusal was lost with its stream is put right, too", async () => {
    await using bench = await startBench(version, protocol, serveX);
    await bench.answeredBy("x");
    await bench.settled();
    const port = await bench.backend("y");
    bench.held.add(`${ENDPOINT_TYPE} warm`);
    bench.update((tx) => {
      tx.set(clusterOf("warm"));
      tx.set(badCluster("bad"));
      tx.set(clusterOf("good"));
      tx.set(endpointsOf("good", port));
      tx.set(endpointsOf("warm", port));
    });
    const knows = async (cluster: string) => (await bench.envoy?.get("/clusters"))?.includes(`${cluster}::`) ?? false;
    await eventually(
      () => knows("good"),
      (known) => known,
      { what: "the good part is applied" },
    );
    await bench.cut(() => {
      bench.held.clear();
      bench.update((tx) => {
        for (const name of ["good", "bad"]) tx.delete(CLUSTER_TYPE, name);
        tx.delete(ENDPOINT_TYPE, "good");
      });
    });
    expect(bench.nacks).toEqual([]);
    await eventually(
      async () => [await knows("good"), await knows("warm")],
      ([good, warm]) => good === false && warm === true,
      { what: "the proxy has what it should" },
    );
    await bench.settled();
    await bench.answeredBy("x");
  });

  it("xds C6, R27: an error of an earlier response is not taken for a refusal of the newest", async () => {
    await using bench = await startBench(version, protocol, serveX);
    await bench.answeredBy("x");
    await bench.settled();
    bench.held.add(`${ENDPOINT_TYPE} x`);
    bench.update((tx) => {
      tx.set(clusterOf("x", Cluster_LbPolicy.LEAST_REQUEST));
      tx.set(badCluster("late"));
    });
    await eventually(
      () => bench.stat("cluster_manager.warming_clusters"),
      (count) => count === 1,
      { what: "x warms" },
    );
    bench.update((tx) => tx.delete(CLUSTER_TYPE, "late"));
    bench.held.clear();
    bench.server?.recheckHolds();
    await bench.settled();
    const clusters = bench.server?.clients()[0]?.types.find(({ typeUrl }) => typeUrl === CLUSTER_TYPE);
    expect(clusters?.resources.map(({ name, refused, unknown }) => ({ name, refused, unknown }))).toEqual([
      { name: "x", refused: undefined, unknown: false },
    ]);
    expect(bench.nacks).toHaveLength(1);
  });

  it("xds D14, S9: after a restart of the server nothing is sent that is equal, and traffic goes on", async () => {
    await using bench = await startBench(version, protocol, serveX);
    await bench.answeredBy("x");
    await bench.settled();
    await using traffic = new Traffic({ url: bench.url });
    await bench.restart();
    await eventually(
      () => bench.server?.clients()[0]?.types.map(({ typeUrl }) => typeUrl),
      (types) => types?.includes(ROUTE_TYPE) === true && types.includes(LISTENER_TYPE),
      { what: "the proxy is back" },
    );
    await bench.settled();
    await traffic.more(20);
    const wildcards = bench.sent.filter(({ typeUrl }) => typeUrl === CLUSTER_TYPE || typeUrl === LISTENER_TYPE);
    expect(protocol === "delta" ? bench.sent : wildcards).toEqual([]);
    expect(traffic.failures()).toEqual([]);
  });

  it("xds C7: a listener that cannot be bound is refused with Envoy's words, and the last good one serves on", async () => {
    await using bench = await startBench(version, protocol, serveX);
    await bench.answeredBy("x");
    const taken = await bench.backend("taken");
    bench.update((tx) => tx.set(listenerOf("l2", taken, "r")));
    const refused = await eventually(
      () =>
        bench.server
          ?.clients()[0]
          ?.types.flatMap(({ resources }) => resources)
          .find(({ name }) => name === "l2"),
      (resource) => resource?.refused !== undefined,
      { what: "the refusal is shown" },
    );
    expect(refused?.refused?.message).toContain("Address already in use");
    await bench.answeredBy("x");
  });
});

it("xds R2: a route loses a cluster at once though it leads to a refused one, for which it waited while that was news", async () => {
  const waitMs = 4000;
  await using bench = await startBench("1.40.0", "delta", async (each) => {
    each.limits = { waitMs };
    await serveX(each);
  });
  await bench.answeredBy("x");
  bench.update((tx) => {
    tx.set(badCluster("bad"));
    tx.set(routesOf({ "/bad": "bad", "/": "x" }));
  });
  const answers = (path: string, wanted: number) =>
    eventually(
      async () => (await send({ url: `${bench.url}${path}` })).status,
      (status) => status === wanted,
      { what: `/${path} answers ${wanted}` },
    );
  await answers("bad", 503);
  const before = performance.now();
  bench.update((tx) => {
    tx.delete(CLUSTER_TYPE, "x");
    tx.set(routesOf({ "/bad": "bad" }));
  });
  await answers("", 404);
  expect(performance.now() - before).toBeLessThan(waitMs / 2);
  await bench.settled();
  expect(new Set(bench.nacks.flatMap(({ names }) => names))).toEqual(new Set(["bad"]));
});

/** Clusters by the prefix that leads to each. */
function routesOf(clusters: Readonly<Record<string, string>>): RouteConfiguration {
  const hosts = routeTo("r", "").virtualHosts;
  const routes = Object.entries(clusters).flatMap(([prefix, cluster]) =>
    routeTo("r", cluster).virtualHosts.flatMap((host) =>
      host.routes.map((route) => ({
        ...route,
        match: create(RouteMatchSchema, { pathSpecifier: { case: "prefix", value: prefix } }),
      })),
    ),
  );
  return create(RouteConfigurationSchema, { name: "r", virtualHosts: hosts.map((host) => ({ ...host, routes })) });
}
