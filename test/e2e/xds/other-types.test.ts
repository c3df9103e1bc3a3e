import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import {
  EXTENSION_TYPE,
  ROUTE_TYPE,
  RUNTIME_TYPE,
  resourceFromJson,
  SCOPED_ROUTE_TYPE,
} from "../../../src/xds/server/library.ts";
import { eventually } from "../../support/eventually.ts";
import { type Answer, send, Traffic } from "../../support/traffic.ts";
import { type Bench, MATRIX, startBench } from "./bench.ts";
import { clusterOf, endpointsOf } from "./envoy-resources.ts";
import { ADS, discoveredFault, everythingTo, faultOf, httpListener, scopedRoutes, scopeTo } from "./json-resources.ts";
import { layerOf, runtimeValue, withRuntimeLayer } from "./runtime-layer.ts";

const layer = (values: JsonObject) => resourceFromJson(RUNTIME_TYPE, layerOf(values));

async function serves(bench: Bench, manager: JsonObject, filters: readonly JsonObject[] = []): Promise<void> {
  for (const name of ["x", "y"]) {
    const port = await bench.backend(name);
    bench.update((tx) => {
      tx.set(clusterOf(name));
      tx.set(endpointsOf(name, port));
    });
  }
  bench.update((tx) => tx.set(httpListener({ name: "l", port: bench.listenPort, manager, filters })));
}

async function answers(bench: Bench, holds: (answer: Answer) => boolean, headers = {}): Promise<void> {
  await eventually(() => send({ url: bench.url, headers }), holds, { what: "the proxy answers as it should" });
}

describe.each(MATRIX)("Envoy $version over $protocol ADS", ({ version, protocol }) => {
  it("RTDS: a runtime layer appears, changes, and in delta goes", async () => {
    const first = async (bench: Bench) => {
      bench.update((tx) => tx.set(layer({ "test.level": 7, "test.other": 1 })));
    };
    await using bench = await startBench(version, protocol, first, withRuntimeLayer);
    await bench.envoy?.ready();
    const level = (value: string | undefined) =>
      eventually(
        () => runtimeValue(bench, "test.level"),
        (current) => current === value,
        { what: `the level is ${value}` },
      );
    await level("7");
    bench.update((tx) => tx.set(layer({ "test.level": 8 })));
    await level("8");
    expect(await runtimeValue(bench, "test.other")).toBeUndefined();
    await bench.restart((tx) => tx.delete(RUNTIME_TYPE, "layer"));
    await bench.settled();
    // SotW has no word for a removal here.
    await level(protocol === "delta" ? undefined : "8");
    bench.update((tx) => tx.set(layer({ "test.level": 9 })));
    await level("9");
    expect(bench.nacks).toEqual([]);
  });

  it("xds R7: ECDS: a filter's configuration changes without its listener, is refused, and is never withdrawn", async () => {
    await using bench = await startBench(version, protocol, async (each) => {
      each.update((tx) => tx.set(faultOf(100)));
      await serves(each, { routeConfig: everythingTo("x") }, [discoveredFault(ADS)]);
    });
    await answers(bench, ({ status }) => status === 418);
    bench.update((tx) => tx.set(faultOf(0)));
    await answers(bench, ({ status }) => status === 200);
    await using traffic = new Traffic({ url: bench.url });
    bench.update((tx) => tx.set(faultOf(100, "envoy.extensions.filters.http.buffer.v3.Buffer")));
    await eventually(
      () => bench.nacks,
      ([nack]) => nack?.names.join() === "fault",
      { what: "the wrong type is refused" },
    );
    bench.update((tx) => tx.delete(EXTENSION_TYPE, "fault"));
    await bench.restart();
    await traffic.more(20);
    expect(traffic.failures()).toEqual([]);
    bench.update((tx) => tx.set(faultOf(100)));
    await answers(bench, ({ status }) => status === 418);
    expect(await bench.stat("listener_manager.listener_modified")).toBe(0);
    expect(await bench.stat("listener_manager.listener_in_place_updated")).toBe(0);
  });

  it("SRDS: scopes lead to their routes, move under traffic without a failed request, and go", async () => {
    const routes = (cluster: string) => resourceFromJson(ROUTE_TYPE, everythingTo(cluster, `to-${cluster}`));
    await using bench = await startBench(version, protocol, async (each) => {
      await serves(each, scopedRoutes(ADS));
      each.update((tx) => {
        for (const name of ["x", "y"]) tx.set(routes(name));
        tx.set(scopeTo("blue", "to-x"));
        tx.set(scopeTo("green", "to-y"));
      });
    });
    await answers(bench, ({ backend }) => backend === "x", { "x-scope": "blue" });
    await answers(bench, ({ backend }) => backend === "y", { "x-scope": "green" });
    await using traffic = new Traffic({ url: bench.url, headers: { "x-scope": "blue" } });
    bench.update((tx) => tx.set(scopeTo("blue", "to-y")));
    await answers(bench, ({ backend }) => backend === "y", { "x-scope": "blue" });
    await traffic.more(20);
    expect(traffic.failures()).toEqual([]);
    bench.update((tx) => tx.delete(SCOPED_ROUTE_TYPE, "green"));
    await answers(bench, ({ status }) => status === 404, { "x-scope": "green" });
    bench.update((tx) => tx.set(scopeTo("green", "to-x")));
    await answers(bench, ({ backend }) => backend === "x", { "x-scope": "green" });
    expect(bench.nacks).toEqual([]);
  });
});
