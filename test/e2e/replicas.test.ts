import { expect, test } from "vitest";
import { startBackend } from "../support/backend.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { backend, fleet, listener, manifest, route, routeTo, service } from "../support/manifest.ts";
import { metricOf } from "../support/plane-health.ts";
import { applyAcross, startReplicas } from "../support/replicas.ts";
import { Traffic, tally } from "../support/traffic.ts";

test("three planes on three nats-servers serve the same proxies, and go on when one is killed", async () => {
  await using one = await startBackend("one");
  await using two = await startBackend("two");
  await using replicas = await startReplicas({ planes: 3, servers: 3 });
  const { planes } = replicas;
  const port = await freePort();
  const objects = [fleet("edge"), listener("web", port), service("shop"), backend("shop/one", one.address)];
  await planes[0]?.mustApply(manifest(...objects, routeTo("shop")));
  await replicas.startEnvoy("edge-1");
  await using traffic = new Traffic({ url: `http://127.0.0.1:${port}/` }, 4);
  await traffic.more(200);

  const serving = await replicas.planeOf("edge-1");
  const [writer = serving, third = serving] = planes.filter((plane) => plane !== serving);
  await applyAcross(writer, serving, backend("shop/two", two.address));
  expect(tally(await traffic.more(200))["two"]).toBeGreaterThan(0);
  for (const plane of planes) {
    expect(JSON.parse(await plane.mustCli("status", "-o", "json"))).toMatchObject({ store: "nats", storeCopies: 3 });
  }

  await serving.kill9();
  const next = await replicas.planeOf("edge-1");
  expect(next).not.toBe(serving);
  await third.mustCli("unregister", "shop/one");
  await eventually(
    async () => Object.keys(tally(await traffic.more(50))),
    (served) => served.join() === "two",
    { what: "the backend that was taken out gets no request" },
  );

  await serving.restart();
  await applyAcross(serving, next, backend("shop/one", one.address));
  expect(tally(await traffic.more(200))["one"]).toBeGreaterThan(0);
  await traffic.stop();
  expect(traffic.failures()).toEqual([]);
});

test("a batch of hundreds of changes is one push for each stream, on another replica too", async () => {
  await using replicas = await startReplicas({ planes: 2, servers: 1 });
  const { planes } = replicas;
  const services = Array.from({ length: 9 }, (_, i) => `s-${i}`);
  const port = await freePort();
  const rules = services.map((name) => ({ match: { path: { prefix: `/${name}` } }, to: [{ service: name }] }));
  const objects = [fleet("edge"), listener("web", port), ...services.map((name) => service(name)), route("all", rules)];
  await planes[0]?.mustApply(manifest(...objects));
  await replicas.startEnvoy("edge-1");
  const serving = await replicas.planeOf("edge-1");
  const writer = planes.find((plane) => plane !== serving) ?? serving;
  const pushes = () => metricOf(serving, 'fairlead_xds_responses_sent_total{type="EDS"}');
  const before = await pushes();
  const changes = services.flatMap((name, s) =>
    Array.from({ length: 109 }, (_, i) => backend(`${name}/b-${i}`, `127.0.${s}.${i + 1}:8080`)),
  );
  await applyAcross(writer, serving, ...changes);
  expect(changes.length).toBeGreaterThan(980);
  expect((await pushes()) - before).toBe(1);
});
