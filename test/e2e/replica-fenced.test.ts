import { expect, test } from "vitest";
import { startEnvoy } from "../support/envoy.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { backend, fleet, listener, manifest, routeTo, service } from "../support/manifest.ts";
import { startNats } from "../support/nats.ts";
import { type Plane, startPlane } from "../support/plane.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";

interface StatusJson {
  readonly problems?: readonly { readonly what: string; readonly why: string }[];
}

const problemsOf = async (plane: Plane) =>
  (JSON.parse(await plane.mustCli("status", "-o", "json")) as StatusJson).problems ?? [];
const readinessOf = async ({ addresses }: Plane) => (await fetch(`http://${addresses.http}/readyz`)).status;

test("a replica whose state differs from that of most sends nothing and says so, until it has mended it", async () => {
  await using nats = await startNats({ size: 1 });
  const [server] = nats.servers;
  await using wire = await startTcpProxy(Number(new URL(server?.url ?? "").port));
  await using one = await startPlane({ nats: nats.urls, replica: "plane-1" });
  await using two = await startPlane({ nats: nats.urls, replica: "plane-2" });
  await using three = await startPlane({ nats: [`nats://127.0.0.1:${wire.port}`], replica: "plane-3" });
  const objects = [fleet("edge"), listener("web", await freePort()), service("shop"), backend("shop/a", "10.9.9.1:80")];
  await one.mustApply(manifest(...objects, routeTo("shop")));
  const identity = ["--node-id", "edge-1", "--fleet", "edge", "--xds", three.addresses.xds];
  await using envoy = await startEnvoy({ bootstrap: await three.mustCli("bootstrap", ...identity) });
  await envoy.ready();
  await one.mustCli("register", "shop/b", "--address", "10.9.9.2:80", "--wait");

  wire.falsify({ from: "10.9.9.3", to: "10.9.9.7" });
  await one.mustCli("register", "shop/c", "--address", "10.9.9.3:80");
  const [problem] = await eventually(
    () => problemsOf(three),
    (problems) => problems.some(({ what }) => what === "state differs from plane-1, plane-2"),
    { what: "plane-3 notices that it differs" },
  );
  expect(problem?.why).toMatch(/at revision 1\.\d+ the state here has digest .* sends nothing until they agree/);
  await eventually(
    () => Promise.all([one, two].map(problemsOf)),
    (all) =>
      all.every((problems) => {
        const found = problems.map(({ what }) => what);
        return found.includes("state differs from plane-3") && found.includes("replica plane-3 sends nothing");
      }),
    { what: "the others say so too" },
  );
  expect(await Promise.all([one, two, three].map(readinessOf))).toEqual([200, 200, 503]);
  expect(await (await fetch(`http://${three.addresses.http}/metrics`)).text()).toContain("fairlead_fenced 1");

  const waited = await one.cli("register", "shop/d", "--address", "10.9.9.4:80", "--wait", "--timeout", "1500ms");
  expect(waited).toMatchObject({ code: 3 });
  expect(waited.stderr).toContain("state_differs");
  const held = async () => await (await fetch(`http://${three.addresses.http}/metrics`)).text();
  expect(await held()).toMatch(/^fairlead_held_resources\{reason="state_differs"\} [1-9]/m);

  wire.falsify(undefined);
  await eventually(
    () => Promise.all([one, two, three].map(problemsOf)),
    (all) => all.flat().every(({ what }) => !what.includes("differs") && !what.includes("sends nothing")),
    { what: "plane-3 has mended its state", timeoutMs: 60_000 },
  );
  expect(await readinessOf(three)).toBe(200);
  expect(await one.mustCli("register", "shop/e", "--address", "10.9.9.5:80", "--wait")).toContain("1 of 1 proxies");
  expect(await held()).not.toContain("fairlead_held_resources{");
});
