import { expect, test } from "vitest";
import { startBackend } from "../support/backend.ts";
import { startEnvoy } from "../support/envoy.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { backend, fleet, listener, manifest, routeTo, service } from "../support/manifest.ts";
import { type NatsServer, startNats } from "../support/nats.ts";
import { type Plane, startPlane } from "../support/plane.ts";
import { metricOf, problemsOf, readinessOf } from "../support/plane-health.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { Traffic, tally } from "../support/traffic.ts";

/** How the one nats-server goes, and how it comes back. */
const OUTAGES: readonly [string, (server: NatsServer) => Promise<void>, (server: NatsServer) => Promise<void>][] = [
  ["is killed", (server) => server.kill(), (server) => server.restart()],
  ["stands still", async (server) => server.signal("SIGSTOP"), async (server) => server.signal("SIGCONT")],
];

test.each(OUTAGES)(
  "while the nats-server %s, the last state is served and all is told; then all goes on",
  async (_, fail, mend) => {
    await using one = await startBackend("one");
    await using two = await startBackend("two");
    await using nats = await startNats({ size: 1 });
    const [server] = nats.servers;
    if (server === undefined) throw new Error("no server");
    await using plane = await startPlane({ nats: nats.urls });
    const ports = [await freePort(), await freePort()] as const;
    const web = listener("web", ports[0]);
    const other = listener("web", ports[1], { fleet: "other" });
    const edge = [fleet("edge"), web, service("shop"), backend("shop/one", one.address), routeTo("shop")];
    await plane.mustApply(
      manifest(
        ...edge,
        fleet("other"),
        { ...other, name: "web-2" },
        { ...routeTo("shop"), name: "shop-2", listeners: ["web-2"] },
      ),
    );
    await using first = await join(plane, "edge-1", "edge");
    await first.ready();
    await using traffic = new Traffic({ url: `http://127.0.0.1:${ports[0]}/` }, 4);
    await traffic.more(100);
    expect(await readinessOf(plane)).toMatchObject({ status: 200 });
    expect(await metricOf(plane, "fairlead_store_up")).toBe(1);

    await fail(server);
    await eventually(
      () => problemsOf(plane),
      (problems) => problems.some(({ what }) => what === "store cannot be reached"),
      {
        what: "the status tells that the store is away",
        timeoutMs: 15_000,
      },
    );
    expect(await readinessOf(plane)).toMatchObject({
      status: 503,
      text: expect.stringContaining("served the last state"),
    });
    expect(await metricOf(plane, "fairlead_store_up")).toBe(0);
    const startedAt = performance.now();
    const write = await plane.apply(manifest(backend("shop/two", two.address)));
    expect(write.code).toBe(6);
    expect(write.stderr).toMatch(/nothing was written, try again/);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    await using second = await join(plane, "other-1", "other");
    await second.ready();
    await using more = new Traffic({ url: `http://127.0.0.1:${ports[1]}/` }, 1);
    expect(tally(await more.more(50))["one"]).toBeGreaterThan(0);

    await mend(server);
    await eventually(
      () => plane.apply(manifest(backend("shop/two", two.address)), "--wait"),
      ({ code }) => code === 0,
      {
        what: "writes go on",
        timeoutMs: 30_000,
      },
    );
    expect(tally(await traffic.more(100))["two"]).toBeGreaterThan(0);
    expect(tally(await more.more(100))["two"]).toBeGreaterThan(0);
    expect(await readinessOf(plane)).toMatchObject({ status: 200 });
    await Promise.all([traffic.stop(), more.stop()]);
    expect([...traffic.failures(), ...more.failures()]).toEqual([]);
  },
);

test("a proxy that has more than its new plane knows is held while the store is away, and keeps what it has", async () => {
  await using one = await startBackend("one");
  await using two = await startBackend("two");
  await using nats = await startNats({ size: 1 });
  const [server] = nats.servers;
  await using wire = await startTcpProxy(Number(new URL(nats.urls[0] ?? "").port));
  await using ahead = await startPlane({ nats: nats.urls, replica: "ahead" });
  const port = await freePort();
  const xds = `127.0.0.1:${await freePort()}`;
  const objects = [fleet("edge"), listener("web", port), service("shop"), backend("shop/one", one.address)];
  await ahead.mustApply(manifest(...objects, routeTo("shop")));
  await using envoy = await join(ahead, "edge-1", "edge", ahead.addresses.xds, xds);
  await envoy.ready();
  await using traffic = new Traffic({ url: `http://127.0.0.1:${port}/` }, 4);
  const nats2 = [`nats://127.0.0.1:${wire.port}`];
  await using behind = await startPlane({ nats: nats2, replica: "behind", args: ["--xds", xds] });

  wire.cut();
  // Nothing that a cut-off replica may hold counts as done, so that no wait would end.
  const servedBy = (names: string) =>
    eventually(
      async () => Object.keys(tally(await traffic.more(50))).join(),
      (served) => served === names,
      { what: `requests go to ${names}`, timeoutMs: 30_000 },
    );
  await ahead.mustApply(manifest(backend("shop/two", two.address)));
  await ahead.mustCli("unregister", "shop/one");
  await servedBy("two");
  await server?.kill();
  await ahead.kill9();
  const node = async () => JSON.parse(await behind.mustCli("node", "edge-1", "-o", "json")) as object;
  await eventually(node, (found) => JSON.stringify(found).includes("store_unreachable"), {
    what: "the proxy is held",
    timeoutMs: 30_000,
  });
  expect(Object.keys(tally(await traffic.more(200)))).toEqual(["two"]);

  wire.mend();
  await server?.restart();
  await eventually(node, (found) => !JSON.stringify(found).includes("store_unreachable"), {
    what: "the proxy is served again",
    timeoutMs: 30_000,
  });
  await behind.mustApply(manifest(backend("shop/one", one.address)));
  await behind.mustCli("unregister", "shop/two");
  await servedBy("one");
  await traffic.stop();
  expect(traffic.failures()).toEqual([]);
});

async function join(plane: Plane, nodeId: string, fleetName: string, ...xds: readonly string[]) {
  const planes = xds.length > 0 ? xds.join(",") : plane.addresses.xds;
  const identity = ["--node-id", nodeId, "--fleet", fleetName, "--xds", planes];
  return await startEnvoy({ bootstrap: await plane.mustCli("bootstrap", ...identity) });
}
