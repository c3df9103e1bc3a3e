import { expect, test } from "vitest";
import { AHEAD_MS } from "../../src/control/behind-watch.ts";
import { startBackend } from "../support/backend.ts";
import { startEnvoy } from "../support/envoy.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { backend, fleet, listener, manifest, routeTo, service } from "../support/manifest.ts";
import { startNats } from "../support/nats.ts";
import { startPlane } from "../support/plane.ts";
import { metricOf, problemsOf, readinessOf } from "../support/plane-health.ts";
import { planeOf } from "../support/replicas.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { Traffic, tally } from "../support/traffic.ts";

test("a replica whose mirror is stuck sends its proxies to another that has been ahead of it for 10 s", async () => {
  await using one = await startBackend("one");
  await using two = await startBackend("two");
  await using nats = await startNats({ size: 1 });
  const natsPort = Number(new URL(nats.urls[0] ?? "").port);
  await using wire1 = await startTcpProxy(natsPort);
  await using wire2 = await startTcpProxy(natsPort);
  await using plane1 = await startPlane({ nats: [`nats://127.0.0.1:${wire1.port}`], replica: "plane-1" });
  await using plane2 = await startPlane({ nats: [`nats://127.0.0.1:${wire2.port}`], replica: "plane-2" });
  const port = await freePort();
  const objects = [fleet("edge"), listener("web", port), service("shop"), backend("shop/one", one.address)];
  await plane1.mustApply(manifest(...objects, routeTo("shop")));
  const xds = `${plane1.addresses.xds},${plane2.addresses.xds}`;
  const identity = ["--node-id", "edge-1", "--fleet", "edge", "--xds", xds];
  await using envoy = await startEnvoy({ bootstrap: await plane1.mustCli("bootstrap", ...identity) });
  await envoy.ready();
  await using traffic = new Traffic({ url: `http://127.0.0.1:${port}/` }, 4);
  await traffic.more(100);
  const served = await planeOf([plane1, plane2], "edge-1");
  const [stuck, ahead, wire] = served === plane1 ? [plane1, plane2, wire1] : [plane2, plane1, wire2];

  // Its feed brings nothing any more that can be read, and is opened anew again and again, in vain.
  wire.falsify({ from: "$JS.ACK.KV_fairlead.", to: "$JS.ACK.KV.fairlead." });
  const stuckAt = performance.now();
  await ahead.mustCli("register", "shop/two", "--address", two.address);
  await eventually(
    async () => tally(await traffic.more(50)),
    (answers) => (answers["two"] ?? 0) > 0,
    { what: "the proxy has what only the other plane knows", timeoutMs: 60_000 },
  );
  expect(performance.now() - stuckAt).toBeGreaterThan(AHEAD_MS);
  expect(await planeOf([plane1, plane2], "edge-1")).toBe(ahead);
  expect((await problemsOf(stuck)).map(({ what }) => what)).toContain("behind the other replicas");
  expect(await readinessOf(stuck)).toMatchObject({ status: 503 });
  expect(await metricOf(stuck, "fairlead_fenced")).toBe(1);

  wire.falsify(undefined);
  await eventually(
    () => readinessOf(stuck),
    ({ status }) => status === 200,
    { what: "the plane has caught up" },
  );
  expect(await problemsOf(stuck)).toEqual([]);
  await traffic.stop();
  expect(traffic.failures()).toEqual([]);
});
