import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { create } from "@bufbuild/protobuf";
import { jetstream } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { expect, test } from "vitest";
import { ServiceSchema } from "../../src/gen/fairlead/admin/v1/service_pb.ts";
import { startBackend } from "../support/backend.ts";
import { startEnvoy } from "../support/envoy.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { backend, fleet, listener, manifest, route, service } from "../support/manifest.ts";
import { type NatsCluster, startNats } from "../support/nats.ts";
import { type Plane, runFairlead, startPlane } from "../support/plane.ts";
import { problemsOf, readinessOf } from "../support/plane-health.ts";
import { GARBAGE, laterObject } from "../support/strange-records.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { Traffic } from "../support/traffic.ts";

const SHOP = "projects/default/services/shop";
const PAY = "projects/default/services/pay";

test("a plane starts on a database with records that cannot be read, and takes nothing from its proxies", async () => {
  using folder = tempFolder();
  const saved = join(folder.path, "saved");
  await using one = await startBackend("one");
  await using two = await startBackend("two");
  const port = await freePort();
  await using plane = await startPlane();
  const services = ["shop", "pay", "new"].flatMap((name) => [service(name), backend(`${name}/one`, one.address)]);
  const rules = ["shop", "pay", "new"].map((name) => ({
    match: { path: { prefix: `/${name}` } },
    to: [{ service: name }],
  }));
  await plane.mustApply(manifest(fleet("edge"), listener("web", port), ...services, route("all", rules)));
  await plane.mustCli("backup", saved);
  const identity = ["--node-id", "edge-1", "--fleet", "edge", "--xds", plane.addresses.xds];
  await using envoy = await startEnvoy({ bootstrap: await plane.mustCli("bootstrap", ...identity) });
  await envoy.ready();
  await using traffic = new Traffic({ url: `http://127.0.0.1:${port}/shop` }, 2);
  await traffic.more(50);
  await plane.stop();

  const later = laterObject("service", create(ServiceSchema, { name: "pay", meta: { uid: "u", generation: 7n } }));
  const poison = {
    [SHOP]: GARBAGE,
    [PAY]: later,
    [`${PAY}/backends/one/health/foo`]: GARBAGE,
    "projects/-/services/x": GARBAGE,
    "projects/default/routes/text": "no blob",
    "refusals/0123": GARBAGE,
    "leds/projects/default/services/new": GARBAGE,
    "assign/nobody": GARBAGE,
    "planes/elsewhere": GARBAGE,
    "presence/projects/default/fleets/elsewhere/0": GARBAGE,
    "presence/elsewhere": JSON.stringify({ fleet: "edge", proxies: [] }),
    "system/backend-networks": GARBAGE,
    "later/thing": GARBAGE,
  };
  write(plane, poison);
  await plane.restart();

  const readiness = await readinessOf(plane);
  expect(readiness).toMatchObject({ status: 503, text: expect.stringContaining("stored record projects/default/") });
  const problems = await problemsOf(plane);
  for (const key of Object.keys(poison)) expect(problems.map(({ what }) => what)).toContain(`stored record ${key}`);
  expect(plane.log()).toContain("a stored record cannot be read and is set aside");
  await connected(plane);
  await plane.mustApply(manifest(backend("new/two", two.address), backend("pay/two", two.address)));
  // What is sound goes on; what is not understood stays as the proxy has it.
  await eventually(
    () => answering(port, "/new"),
    (names) => names.size === 2,
    { what: "the other service's new backend gets requests" },
  );
  expect(await answering(port, "/pay")).toEqual(new Set(["one"]));
  expect(await plane.mustCli("node", "edge-1")).toContain("newer_stored_object");
  expect((await plane.cli("delete", "service", "shop")).stderr).toContain(`fairlead delete record ${SHOP}`);

  await plane.mustCli("delete", "record", "projects/-/services/x");
  expect((await problemsOf(plane)).map(({ what }) => what)).not.toContain("stored record projects/-/services/x");
  const inUse = await runFairlead(["restore", "--replace", saved, "--data", plane.dataFolder]);
  expect(inUse).toMatchObject({ code: 1, stderr: expect.stringContaining(`process ${plane.pid()}`) });

  await plane.stop();
  const restored = await runFairlead(["restore", "--replace", saved, "--data", plane.dataFolder]);
  expect(restored).toMatchObject({ code: 0, stdout: expect.stringContaining("a new epoch has begun") });
  await plane.restart();
  expect(await readinessOf(plane)).toMatchObject({ status: 200 });
  expect(await problemsOf(plane)).toEqual([]);
  await traffic.more(50);
  await traffic.stop();
  expect(traffic.failures()).toEqual([]);
});

test("a bucket with records that cannot be read ends no plane, and can be restored without one", async () => {
  using folder = tempFolder();
  const saved = join(folder.path, "saved");
  await using nats = await startNats({ size: 1 });
  await using plane = await startPlane({ nats: nats.urls, replica: "plane-a" });
  await plane.mustApply(manifest(service("shop"), service("pay")));
  await plane.mustCli("backup", saved);
  const state = (key: string) => `root.first.state.${key.replaceAll("/", ".")}`;
  await publish(nats, {
    [state(SHOP)]: GARBAGE,
    [state("projects/-/services/x")]: GARBAGE,
    [state("refusals/0123")]: GARBAGE,
    "root.first.history.2.projects.default.services.pay": GARBAGE,
    "root.first.journal.x": GARBAGE,
    "root.first.journal.y": Buffer.from('{"keys":1}'),
    "tick.99": GARBAGE,
  });
  await eventually(
    async () => (await problemsOf(plane)).filter(({ what }) => what.startsWith("stored record")),
    (problems) => problems.length === 3,
    { what: "the plane names what it cannot read" },
  );
  expect(await readinessOf(plane)).toMatchObject({ status: 200 });
  await plane.mustCli("history", "service", "pay");
  // What it could read last still counts, and is not written over.
  expect(await plane.mustCli("get", "services")).toContain("shop");
  const refused = await plane.apply(manifest(service("shop", { drainTime: "9s" })));
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("cannot be read") });
  await plane.mustApply(manifest(service("pay", { drainTime: "9s" })));

  const restore = (...more: string[]) =>
    runFairlead(["restore", "--replace", saved, "--nats", nats.urls.join(","), "--nats-replicas", "1", ...more]);
  expect(await restore()).toMatchObject({ code: 1, stderr: expect.stringContaining("plane-a") });
  await plane.stop();
  await plane.restart();
  expect(await readinessOf(plane)).toMatchObject({ status: 503, text: expect.stringContaining(SHOP) });

  // Without its epoch nobody knows where the state lies: planes that run go on, and none starts.
  await publish(nats, { epoch: GARBAGE });
  await plane.mustApply(manifest(service("later")));
  await plane.stop();
  await expect(plane.restart()).rejects.toThrow(/restore a backup/);
  expect(await restore()).toMatchObject({ code: 0, stdout: expect.stringContaining("restored") });
  await plane.restart();
  expect(await readinessOf(plane)).toMatchObject({ status: 200 });
  expect(await plane.mustCli("get", "services")).not.toContain("later");
});

/** Writes rows beside those of the plane, which must not be running. */
function write({ dataFolder }: Plane, values: Readonly<Record<string, Uint8Array | string>>): void {
  const database = new DatabaseSync(join(dataFolder, "fairlead.db"));
  const row = database.prepare("INSERT OR REPLACE INTO entries SELECT ?, position, at, ? FROM head");
  for (const [key, value] of Object.entries(values)) row.run(key, value);
  database.close();
}

async function publish({ urls }: NatsCluster, values: Readonly<Record<string, Uint8Array>>): Promise<void> {
  const connection = await connect({ servers: [...urls] });
  for (const [subject, value] of Object.entries(values)) {
    await jetstream(connection).publish(`$KV.fairlead.${subject}`, value);
  }
  await connection.close();
}

async function connected(plane: Plane): Promise<void> {
  await eventually(
    async () => JSON.parse(await plane.mustCli("nodes", "-o", "json")) as { connected?: boolean }[],
    (found) => found.some(({ connected }) => connected === true),
    { what: "the proxy is back", timeoutMs: 30_000 },
  );
}

/** Who answers on a path, of twenty requests. */
async function answering(port: number, path: string): Promise<Set<string>> {
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: "close" } })),
  );
  for (const answer of answers) expect(answer.status).toBe(200);
  return new Set(answers.map(({ headers }) => headers.get("x-backend") ?? ""));
}
