import { expect, test } from "vitest";
import { CLUSTER_TYPE, ENDPOINT_TYPE } from "../../../src/xds/server/library.ts";
import { type DeltaStream, RawClient } from "./raw-client.ts";
import { startProxies } from "./start-proxies.ts";

/** Follows clusters and the endpoints of two services, and acknowledges everything; returns whatever it is told was removed. */
async function follow(stream: DeltaStream, node: { id: string; userAgentName: string }): Promise<string[][]> {
  const removed: string[][] = [];
  stream.call.on("data", () => {
    const response = stream.responses.at(-1);
    if (!response) return;
    const { typeUrl, nonce, removedResources } = response;
    removed.push(...removedResources.map((name) => [typeUrl, name]));
    stream.send({ typeUrl, responseNonce: nonce });
  });
  stream.send({ node: { ...node, cluster: "edge" }, typeUrl: CLUSTER_TYPE });
  stream.send({ typeUrl: ENDPOINT_TYPE, resourceNamesSubscribe: ["shop", "pay"] });
  for (const typeUrl of [CLUSTER_TYPE, ENDPOINT_TYPE]) {
    const { resources, ...response } = await stream.next();
    expect([response.typeUrl, ...resources.map(({ name }) => name)]).toEqual([typeUrl, "shop", "pay"]);
  }
  return removed;
}

test("xds R7, R28: a deleted service takes its endpoints from a client that is not Envoy, after its cluster; Envoy keeps them", async () => {
  await using plane = await startProxies();
  await plane.addFleet("edge");
  await plane.addListener("web", "edge", 10_000);
  for (const name of ["shop", "pay"]) {
    await plane.addService(name);
    await plane.addRoute(name, "web");
  }
  using one = new RawClient(plane.address);
  using two = new RawClient(plane.address);
  const other = one.delta();
  const envoy = two.delta();
  const toldOther = await follow(other, { id: "other", userAgentName: "my-client" });
  const toldEnvoy = await follow(envoy, { id: "envoy", userAgentName: "envoy" });

  await plane.deleteService("shop");
  expect((await other.next()).typeUrl).toBe(CLUSTER_TYPE);
  expect((await other.next()).typeUrl).toBe(ENDPOINT_TYPE);
  expect(toldOther).toEqual([
    [CLUSTER_TYPE, "shop"],
    [ENDPOINT_TYPE, "shop"],
  ]);

  // What comes after shows that nothing was on its way.
  expect((await envoy.next()).typeUrl).toBe(CLUSTER_TYPE);
  await plane.addService("later");
  await plane.addRoute("later", "web");
  expect((await envoy.next()).resources.map(({ name }) => name)).toEqual(["later"]);
  expect(toldEnvoy).toEqual([[CLUSTER_TYPE, "shop"]]);
});
