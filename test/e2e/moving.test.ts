import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { connectAdmin } from "../../src/cli/admin-client.ts";
import { AdminService } from "../../src/gen/fairlead/admin/v1/admin_pb.ts";
import { startBackend } from "../support/backend.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { backend, fleet, listener, manifest, routeTo, service } from "../support/manifest.ts";
import { type Plane, startPlane } from "../support/plane.ts";
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

async function generations(plane: Plane): Promise<unknown> {
  const entries = JSON.parse(await plane.mustCli("history", "service", "shop", "-o", "json")) as Record<
    string,
    unknown
  >[];
  return entries.map(({ generation, revision, actor }) => ({ generation, revision, actor }));
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
