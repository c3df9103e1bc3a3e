import { mkdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { startBackend } from "../support/backend.ts";
import { startEnvoy } from "../support/envoy.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { listeningPorts } from "../support/listening-ports.ts";
import { backend, fleet, listener, manifest, routeTo, service } from "../support/manifest.ts";
import { startPlane } from "../support/plane.ts";
import { problemsOf } from "../support/plane-health.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { send } from "../support/traffic.ts";

const IDENTITY = ["--node-id", "edge-1", "--fleet", "edge"];

test("a backend at the address of a proxy's admin page or of a plane is no way in", async () => {
  const port = await freePort();
  await using plane = await startPlane();
  await using well = await startBackend("well", { host: "127.0.0.2" });
  const edge = (backendNetworks: readonly string[]) => manifest({ ...fleet("edge"), backendNetworks });
  const shop = [service("shop"), backend("shop/well", `127.0.0.2:${well.port}`), routeTo("shop")];
  await plane.mustApply(edge(["127.0.0.2/32"]));
  await plane.mustApply(manifest(listener("web", port), ...shop));
  const bootstrap = await plane.mustCli("bootstrap", ...IDENTITY, "--xds", plane.addresses.xds);
  await using envoy = await startEnvoy({ bootstrap, adminAt: "port" });
  await envoy.ready();

  const heavy = { weight: 1_000_000 };
  const ways = [
    backend("shop/page", envoy.admin, heavy),
    backend("shop/mapped", `[::ffff:127.0.0.1]:${envoy.admin.split(":")[1]}`, heavy),
    { kind: "Backend", name: "shop/socket", pipe: "/run/fairlead/edge-1/admin.sock", ...heavy },
  ];
  const applied = await plane.mustApply(manifest(...ways), "--wait");
  expect(applied).toContain("shop/page");
  const url = `http://127.0.0.1:${port}`;
  const ask = async (method: string, path: string, count: number) =>
    Promise.all(Array.from({ length: count }, () => send({ url: url + path, method })));
  const answers = [...(await ask("GET", "/config_dump", 20)), ...(await ask("POST", "/quitquitquit", 20))];
  expect(new Set(answers.map((answer) => `${answer.status} ${answer.backend}`))).toEqual(new Set(["200 well"]));
  expect(await envoy.get("/ready")).toContain("LIVE");

  const explained = await plane.mustCli("explain", "backend", "shop/page");
  expect(explained).toMatch(/fleet edge +left out: 127\.0\.0\.1 is loopback and not among backendNetworks/);
  const shown = JSON.parse(await plane.mustCli("get", "backend", "shop/socket", "-o", "json")) as object;
  expect(shown).toMatchObject({ conditions: [{ reason: "OutsideNetworks" }] });
  expect(await problemsOf(plane)).toContainEqual(
    expect.objectContaining({ what: "fleet edge leaves out 3 backends of service shop" }),
  );

  // Loopback alone does not name where the plane listens; that the page would have answered shows once loopback is named.
  await plane.mustApply(manifest(backend("shop/mapped", plane.addresses.admin, heavy)));
  await plane.mustApply(edge(["127.0.0.0/8"]), "--wait");
  expect(await plane.mustCli("explain", "backend", "shop/mapped")).toContain("left out: a plane listens on");
  await eventually(
    async () => (await ask("GET", "/config_dump", 1))[0]?.body ?? "",
    (body) => body.includes("type.googleapis.com/envoy.admin.v3"),
    { what: "the admin page answers once loopback is named" },
  );
});

test("the bootstrap that we write opens no port of its own", async () => {
  using folder = tempFolder();
  const port = await freePort();
  const socket = join(folder.path, "edge-1", "admin.sock");
  mkdirSync(dirname(socket), { mode: 0o700 });
  await using plane = await startPlane();
  await plane.mustApply(manifest(fleet("edge"), listener("web", port)));
  const place = ["--xds", plane.addresses.xds, "--admin-socket", socket];
  const bootstrap = await plane.mustCli("bootstrap", ...IDENTITY, ...place);
  await using envoy = await startEnvoy({ bootstrap, adminAt: "bootstrap" });
  await envoy.ready();
  expect(envoy.admin).toBe(socket);
  expect(statSync(socket).mode & 0o777).toBe(0o600);
  await eventually(
    () => listeningPorts(envoy.pid),
    (ports) => ports.length > 0,
    { what: "Envoy listens" },
  );
  expect(listeningPorts(envoy.pid)).toEqual([port]);
});

test("what a plane fills in for a fleet without networks depends on whom it listens to", async () => {
  const networksOf = async (...args: readonly string[]) => {
    await using plane = await startPlane({ args });
    await plane.mustApply(manifest(fleet("edge"), listener("web", 1), service("shop"), routeTo("shop")));
    await plane.mustApply(manifest(backend("shop/a", "127.0.0.1:9901")));
    const read = async () =>
      (JSON.parse(await plane.mustCli("get", "fleet", "edge", "-o", "json")) as { backendNetworks?: string[] })
        .backendNetworks;
    const first = await read();
    expect(await plane.mustApply(manifest(fleet("edge")))).toContain("unchanged");
    expect(await read()).toEqual(first);
    return { networks: first, explained: await plane.mustCli("explain", "backend", "shop/a") };
  };
  const local = await networksOf();
  expect(local.networks).toEqual(["0.0.0.0/0", "::/0", "127.0.0.0/8", "::1/128"]);
  expect(local.explained).not.toContain("left out");
  const open = await networksOf("--insecure", "--http", "0.0.0.0:0");
  expect(open.networks).toEqual([]);
  expect(open.explained).toContain("left out: 127.0.0.1 is loopback");
});
