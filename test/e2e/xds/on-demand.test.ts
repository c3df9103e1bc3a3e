import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import {
  CLUSTER_TYPE,
  type ResourceInput,
  ROUTE_TYPE,
  resourceFromJson,
  VIRTUAL_HOST_TYPE,
} from "../../../src/xds/server/library.ts";
import { eventually } from "../../support/eventually.ts";
import { freePort } from "../../support/free-port.ts";
import { type Answer, send } from "../../support/traffic.ts";
import type { Bootstrap } from "./ads-bootstrap.ts";
import { type Bench, startBench } from "./bench.ts";
import { clusterOf, endpointsOf } from "./envoy-resources.ts";
import { ADS, extension, httpListener, ownStreamJson } from "./json-resources.ts";

const ON_DEMAND = "envoy.extensions.filters.http.on_demand.v3.OnDemand";
const onDemand = (value: JsonObject = {}) => ({ name: "on-demand", typedConfig: extension(ON_DEMAND, value) });

/** Shorter than Envoy's own patience (15 s for a listener, 60 s for a host): who waits longer was not answered. */
const AT_ONCE_MS = 5000;

/** No wildcard of clusters: only those that are asked for. */
const withoutClusters = (bootstrap: Bootstrap): Bootstrap => {
  const { cds_config: _clusters, ...rest } = bootstrap.dynamic_resources;
  return { ...bootstrap, dynamic_resources: rest };
};

const ask = (bench: Bench, host: string, headers = {}): Promise<Answer> =>
  send({ url: bench.url, host, headers, timeoutMs: AT_ONCE_MS });

/** Envoy 1.36 takes virtual hosts on a stream of their own only. */
describe.each([
  { version: "1.40.0", over: "delta ADS", source: ADS },
  { version: "1.40.0", over: "a delta stream of its own", source: ownStreamJson("delta") },
  { version: "1.36.4", over: "a delta stream of its own", source: ownStreamJson("delta") },
])("VHDS of Envoy $version over $over", ({ version, source }) => {
  const virtualHost = (host: string, cluster: string, routes = "r"): ResourceInput => {
    const name = `${routes}/of-${host}`;
    const { body, references } = resourceFromJson(VIRTUAL_HOST_TYPE, {
      name,
      domains: [host],
      routes: [{ match: { prefix: "/" }, route: { cluster } }],
    });
    return { typeUrl: VIRTUAL_HOST_TYPE, name, aliases: [`${routes}/${host}`], body, references };
  };
  const serve = async (bench: Bench) => {
    for (const name of ["x", "y"]) {
      const port = await bench.backend(name);
      bench.update((tx) => {
        tx.set(clusterOf(name));
        tx.set(endpointsOf(name, port));
      });
    }
    bench.update((tx) => {
      tx.set(listenerOn(bench.listenPort, "r"));
      tx.set(routesOf("r"));
    });
  };
  const listenerOn = (port: number, routes: string): ResourceInput => {
    const manager = { rds: { routeConfigName: routes, configSource: ADS } };
    return httpListener({ name: `of-${routes}`, port, manager, filters: [onDemand()] });
  };
  const routesOf = (name: string) => resourceFromJson(ROUTE_TYPE, { name, vhds: { configSource: source } });

  it("xds W8: a route configuration without any virtual host is ready at once, and a host that is not there is answered 404", async () => {
    await using bench = await startBench(version, "delta", serve);
    await bench.envoy?.ready(10_000);
    await eventually(
      () => ask(bench, "nobody.test"),
      ({ status }) => status === 404,
      { what: "the unknown host is answered" },
    );
    expect(bench.nacks).toEqual([]);
  });

  it("xds D11, D17, C12: hosts are served, and one that was asked for in vain is served once it exists", async () => {
    await using bench = await startBench(version, "delta", async (each) => {
      await serve(each);
      each.update((tx) => tx.set(virtualHost("one.test", "x")));
    });
    await eventually(
      () => ask(bench, "one.test"),
      ({ backend }) => backend === "x",
      { what: "the host is served" },
    );
    expect(await ask(bench, "two.test")).toMatchObject({ status: 404 });
    bench.update((tx) => tx.set(virtualHost("two.test", "y")));
    await eventually(
      () => ask(bench, "two.test"),
      ({ backend }) => backend === "y",
      { what: "the new host is served" },
    );
    bench.update((tx) => tx.set(virtualHost("one.test", "y")));
    await eventually(
      () => ask(bench, "one.test"),
      ({ backend }) => backend === "y",
      { what: "the changed host is in use" },
    );
    await bench.restart((tx) => {
      tx.set(virtualHost("two.test", "x"));
      tx.delete(VIRTUAL_HOST_TYPE, "r/of-one.test");
    });
    await eventually(
      () => ask(bench, "two.test"),
      ({ backend }) => backend === "x",
      { what: "what changed meanwhile is in use after a restart" },
    );
    await eventually(
      () => ask(bench, "one.test"),
      ({ status }) => status === 404,
      { what: "what was deleted meanwhile is gone after a restart" },
    );
    expect(bench.nacks).toEqual([]);
  });

  it("xds W8: a second route configuration gets its hosts, also those published before it, for Envoy does not ask again", async () => {
    await using bench = await startBench(version, "delta", async (each) => {
      await serve(each);
      each.update((tx) => {
        tx.set(virtualHost("one.test", "x"));
        tx.set(virtualHost("early.test", "y", "second"));
      });
    });
    await eventually(
      () => ask(bench, "one.test"),
      ({ backend }) => backend === "x",
      { what: "the first is served" },
    );
    const ports = { second: await freePort(), empty: await freePort() };
    bench.update((tx) => {
      for (const name of ["second", "empty"] as const) {
        tx.set(listenerOn(ports[name], name));
        tx.set(routesOf(name));
      }
    });
    const at = (port: number, host: string) => send({ url: `http://127.0.0.1:${port}/`, host, timeoutMs: AT_ONCE_MS });
    await eventually(
      () => at(ports.second, "early.test"),
      ({ backend }) => backend === "y",
      { what: "the second is served", timeoutMs: 10_000 },
    );
    await eventually(
      () => at(ports.empty, "early.test"),
      ({ status }) => status === 404,
      { what: "the one without hosts is ready", timeoutMs: 10_000 },
    );
    expect(bench.nacks).toEqual([]);
  });
});

describe.each(["1.40.0", "1.36.4"])("ODCDS of Envoy %s over delta ADS", (version) => {
  const toHeader = {
    name: "all",
    domains: ["*"],
    routes: [{ match: { prefix: "/" }, route: { clusterHeader: "x-cluster" } }],
  };

  it("xds D11, D12: a cluster comes on demand, one that does not exist fails at once and works once it exists, also after a removal", async () => {
    const odcds = { source: ADS, timeout: "30s" };
    let port = 0;
    const set = (bench: Bench, name: string) =>
      bench.update((tx) => {
        tx.set(clusterOf(name));
        tx.set(endpointsOf(name, port));
      });
    const first = async (bench: Bench) => {
      port = await bench.backend("backend");
      set(bench, "x");
      const manager = { routeConfig: { name: "r", virtualHosts: [toHeader] } };
      bench.update((tx) => {
        tx.set(httpListener({ name: "l", port: bench.listenPort, manager, filters: [onDemand({ odcds })] }));
      });
    };
    await using bench = await startBench(version, "delta", first, withoutClusters);
    await bench.envoy?.ready();
    const to = (cluster: string) => ask(bench, "any.test", { "x-cluster": cluster });
    await eventually(
      () => to("x"),
      ({ status }) => status === 200,
      { what: "x is fetched and serves" },
    );
    const subscribed = bench.server?.clients()[0]?.types.find(({ typeUrl }) => typeUrl === CLUSTER_TYPE);
    expect(subscribed).toMatchObject({ wildcard: false, subscribed: 1 });
    expect(await to("z")).toMatchObject({ status: 503 });
    set(bench, "z");
    await eventually(
      () => to("z"),
      ({ status }) => status === 200,
      { what: "z serves once it exists" },
    );
    bench.update((tx) => tx.delete(CLUSTER_TYPE, "x"));
    await eventually(
      () => bench.stat("cluster_manager.cluster_removed"),
      (count) => count === 1,
      { what: "x is gone" },
    );
    set(bench, "x");
    await eventually(
      () => to("x"),
      ({ status }) => status === 200,
      { what: "x is back" },
    );
    await bench.restart((tx) => tx.delete(CLUSTER_TYPE, "z"));
    await eventually(
      () => bench.stat("cluster_manager.cluster_removed"),
      (count) => count === 2,
      { what: "what was deleted while the server was away is gone" },
    );
    expect(await to("x")).toMatchObject({ status: 200 });
    expect(bench.nacks).toEqual([]);
  });
});
