import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { connectAdmin } from "../../src/cli/admin-client.ts";
import { AdminService } from "../../src/gen/fairlead/admin/v1/admin_pb.ts";
import { startBackend } from "../support/backend.ts";
import { startEnvoy } from "../support/envoy.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { backend, fleet, listener, manifest, routeTo, service } from "../support/manifest.ts";
import { administer, startNats } from "../support/nats.ts";
import { type Plane, startPlane } from "../support/plane.ts";
import { metricOf, problemsOf } from "../support/plane-health.ts";
import { applyAcross, startReplicas } from "../support/replicas.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { Traffic, tally } from "../support/traffic.ts";

test("a state moves from one machine to NATS and back, and a connected Envoy is sent nothing again", async () => {
  using folder = tempFolder();
  const file = (name: string) => join(folder.path, name);
  await using one = await startBackend("one");
  await using two = await startBackend("two");
  const port = await freePort();
  await using alone = await startPlane();
  const objects = [fleet("edge"), listener("web", port), service("shop"), backend("shop/one", one.address)];
  await alone.mustApply(manifest(...objects, routeTo("shop")));
  await alone.mustApply(manifest(service("shop", { drainTime: "3s" })));
  await alone.mustCli("backup", file("alone"));

  await using replicas = await startReplicas({ planes: 2, servers: 1 });
  const [first = alone, second = alone] = replicas.planes;
  await first.mustCli("restore", file("alone"));
  await reaches(second, 2);
  expect(await generations(second)).toEqual(await generations(alone));
  const envoy = await replicas.startEnvoy("edge-1");
  await replicas.planeOf("edge-1");
  await using traffic = new Traffic({ url: `http://127.0.0.1:${port}/` }, 2);
  await traffic.more(50);
  const sent = async () => [await responsesSent(first), await responsesSent(second), await updates(envoy)];
  const before = await sent();
  const admin = connectAdmin(second.addresses.admin);
  const { meta } = await admin.call(AdminService.method.getService, { name: "shop" });

  writeFileSync(file("all.yaml"), await second.mustCli("export"));
  expect(await first.mustCli("import", "--dry-run", file("all.yaml"))).toContain("0 updated, 0 deleted, 5 unchanged");
  expect((await first.cli("import", file("all.yaml"))).stderr).toContain("--replace");
  await first.mustCli("import", "--replace", file("all.yaml"));
  await reaches(second, 3);
  await second.mustCli("backup", file("shared"));
  await second.mustCli("restore", "--replace", file("shared"));
  await reaches(first, 4);
  await traffic.more(50);
  expect(await sent()).toEqual(before);

  const stale = admin.call(AdminService.method.updateService, {
    service: { name: "shop" },
    expectedVersion: meta?.version ?? "",
  });
  await expect(stale).rejects.toMatchObject({ reason: "VERSION_MISMATCH" });
  admin.close();
  await applyAcross(first, await replicas.planeOf("edge-1"), backend("shop/two", two.address));
  expect(tally(await traffic.more(100))["two"]).toBeGreaterThan(0);
  await traffic.stop();
  expect(traffic.failures()).toEqual([]);

  await first.mustCli("backup", "--force", file("shared"));
  await using again = await startPlane();
  await again.mustCli("restore", file("shared"));
  expect(await contentOf(again)).toBe(await contentOf(first));
  expect(await generations(again)).toEqual(await generations(first));
});

test("a state moves on to another bucket, whose planes send an Envoy that comes over nothing again", async () => {
  using folder = tempFolder();
  const file = (name: string) => join(folder.path, name);
  await using one = await startBackend("one");
  await using two = await startBackend("two");
  const port = await freePort();
  await using nats = await startNats({ size: 1 });
  const planeOn = (bucket: string) => startPlane({ nats: nats.urls, bucket, replica: `plane-${bucket}` });
  await using from = await planeOn("from");
  await using by = await planeOn("by");
  await using to = await planeOn("to");
  const objects = [fleet("edge"), listener("web", port), service("shop"), backend("shop/one", one.address)];
  await from.mustApply(manifest(...objects, routeTo("shop")));
  await from.mustApply(manifest(service("shop", { drainTime: "3s" })));

  await from.mustCli("backup", file("from"));
  await by.mustCli("restore", file("from"));
  writeFileSync(file("all.yaml"), await by.mustCli("export"));
  await to.mustCli("import", file("all.yaml"));
  for (const plane of [by, to]) expect(await contentOf(plane)).toBe(await contentOf(from));
  const kept = await generations(by);
  expect(kept).toEqual(await generations(from));

  await to.stop();
  const xds = [from, to].map(({ addresses }) => addresses.xds).join(",");
  const identity = ["--node-id", "edge-1", "--fleet", "edge", "--xds", xds];
  await using envoy = await startEnvoy({ bootstrap: await from.mustCli("bootstrap", ...identity) });
  await envoy.ready();
  await using traffic = new Traffic({ url: `http://127.0.0.1:${port}/` }, 2);
  await traffic.more(50);
  await to.restart();
  await from.stop();
  await isConnected(to);
  await traffic.more(50);
  expect(await responsesSent(to)).toBe(0);
  await to.mustApply(manifest(service("shop", { drainTime: "9s" }), backend("shop/two", two.address)), "--wait");
  expect(await responsesSent(to)).toBe(1);
  await traffic.stop();
  expect(traffic.failures()).toEqual([]);

  writeFileSync(file("changed.yaml"), await to.mustCli("export"));
  await by.mustCli("import", "--replace", file("changed.yaml"));
  const [newest, ...earlier] = await generations(by);
  expect(newest).toMatchObject({ generation: "3", actor: expect.stringMatching(/^cli/) });
  expect(earlier).toEqual(kept);
});

test("planes whose bucket was put back serve on as they were, and go on together after a restore", async () => {
  using folder = tempFolder();
  const file = (name: string) => join(folder.path, name);
  await using one = await startBackend("one");
  await using two = await startBackend("two");
  const port = await freePort();
  await using replicas = await startReplicas({ planes: 2, servers: 1 });
  const [first, second] = replicas.planes as [Plane, Plane];
  const objects = [fleet("edge"), listener("web", port), service("shop"), backend("shop/one", one.address)];
  await first.mustApply(manifest(...objects, routeTo("shop")));
  const envoy = await replicas.startEnvoy("edge-1");
  await first.mustApply(manifest(backend("shop/two", two.address), service("shop", { drainTime: "3s" })), "--wait");
  await first.mustCli("backup", file("last"));
  await replicas.planeOf("edge-1");
  await using traffic = new Traffic({ url: `http://127.0.0.1:${port}/` }, 2);
  await traffic.more(50);
  const sent = async () => [await responsesSent(first), await responsesSent(second), await updates(envoy)];
  const before = await sent();
  const content = await contentOf(first);

  const bucket = "KV_fairlead";
  await administer(replicas.nats, async ({ streams }) => {
    const { config } = await streams.info(bucket);
    await streams.delete(bucket);
    await streams.add(config);
  });
  for (const plane of [first, second]) {
    await eventually(
      () => metricOf(plane, "fairlead_store_frozen"),
      (frozen) => frozen === 1,
      { what: "the plane is frozen", timeoutMs: 30_000 },
    );
    expect((await plane.apply(manifest(service("pay")))).stderr).toContain("restore a backup");
    expect(await contentOf(plane)).toBe(content);
  }
  await traffic.more(50);
  expect(await sent()).toEqual(before);

  expect((await second.cli("restore", file("last"))).stderr).toContain("--replace");
  await second.mustCli("restore", "--replace", file("last"));
  for (const plane of [first, second]) {
    await reaches(plane, 2);
    expect(await metricOf(plane, "fairlead_store_frozen")).toBe(0);
    expect(await contentOf(plane)).toBe(content);
    await eventually(
      () => problemsOf(plane),
      (problems) => problems.length === 0,
      { what: "the plane has no problem left" },
    );
  }
  expect(await sent()).toEqual(before);
  await first.mustCli("unregister", "shop/one", "--wait");
  await eventually(
    async () => Object.keys(tally(await traffic.more(50))),
    (answering) => answering.length === 1 && answering[0] === "two",
    { what: "what is written now reaches the proxy" },
  );
  await traffic.stop();
  expect(traffic.failures()).toEqual([]);
});

async function reaches(plane: Plane, epoch: number): Promise<void> {
  await eventually(
    async () => (JSON.parse(await plane.mustCli("status", "-o", "json")) as { revision: string }).revision,
    (revision) => revision.startsWith(`${epoch}.`),
    { what: `the plane is in epoch ${epoch}`, timeoutMs: 20_000 },
  );
}

/** All of an export but for the revision that it is of. */
async function contentOf(plane: Plane): Promise<string> {
  return (await plane.mustCli("export")).replace(/^revision: .*$/m, "");
}

interface Generation {
  readonly generation: string;
  readonly revision: string;
  readonly actor: string;
}

async function generations(plane: Plane): Promise<Generation[]> {
  const entries = JSON.parse(await plane.mustCli("history", "service", "shop", "-o", "json")) as Generation[];
  return entries.map(({ generation, revision, actor }) => ({ generation, revision, actor }));
}

async function isConnected(plane: Plane): Promise<void> {
  const nodes = async () =>
    JSON.parse(await plane.mustCli("nodes", "-o", "json")) as { connected?: boolean; lagMs?: string }[];
  await eventually(
    nodes,
    (found) => found.some(({ connected, lagMs }) => connected === true && Number(lagMs ?? 0) === 0),
    { what: "the proxy is connected and up to date", timeoutMs: 30_000 },
  );
}

async function responsesSent({ addresses }: Plane): Promise<number> {
  const text = await (await fetch(`http://${addresses.http}/metrics`)).text();
  const lines = text.split("\n").filter((line) => line.startsWith("fairlead_xds_responses_sent_total{"));
  return lines.reduce((sum, line) => sum + Number(line.split(" ")[1]), 0);
}

async function updates(envoy: { stats(filter: RegExp): Promise<Map<string, number>> }): Promise<number> {
  const stats = await envoy.stats(/(cds|lds|rds\..*|cluster\.shop)\.update_(success|attempt)$/);
  return [...stats.values()].reduce((sum, value) => sum + value, 0);
}
