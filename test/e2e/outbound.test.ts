/** What configuration cannot make a real plane do: end by a check, or reach itself through one. */
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { type AddressInfo, connect, createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { afterAll, expect, it } from "vitest";
import { type AdminClient, connectAdmin } from "../../src/cli/admin-client.ts";
import { storeKey } from "../../src/domain/name.ts";
import { AdminService } from "../../src/gen/fairlead/admin/v1/admin_pb.ts";
import { Health_Status } from "../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { messageFromJson } from "../../src/schema/object-json.ts";
import { encodeStored } from "../../src/schema/stored-object.ts";
import { startBackend } from "../support/backend.ts";
import { openDirectoryStore } from "../support/embedded-store.ts";
import { eventually } from "../support/eventually.ts";
import { backend, type ManifestObject, manifest, service } from "../support/manifest.ts";
import { type Plane, startPlane } from "../support/plane.ts";
import { metricOf } from "../support/plane-health.ts";
import { tempFolder } from "../support/temp-folder.ts";

const disposables = new AsyncDisposableStack();
afterAll(() => disposables.disposeAsync());

const FAST = { interval: "0.1s", timeout: "0.1s", unhealthyThreshold: 1, healthyThreshold: 1 };

function adminOf(plane: Plane): AdminClient {
  const admin = connectAdmin(plane.addresses.admin);
  disposables.defer(() => admin.close());
  return admin;
}

/** The prober's verdicts of a service, by backend, once there is one of each. */
async function verdicts(admin: AdminClient, of: string, count: number): Promise<Map<string, [Health_Status, string]>> {
  const { health } = await eventually(
    () => admin.call(AdminService.method.listHealth, { service: of }),
    ({ health }) => health.length === count,
    { what: `${count} verdicts of ${of}` },
  );
  return new Map(health.map(({ backend, status, reason }) => [backend, [status, reason]]));
}

/** The bytes with which a gRPC client would call `CreateService`: all of them together, without waiting for an answer. */
async function createServiceBytes(name: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const recorder = createServer((socket) => socket.on("data", (chunk: Buffer) => chunks.push(chunk)));
  await once(recorder.listen(0, "127.0.0.1"), "listening");
  const session = connectHttp2(`http://127.0.0.1:${(recorder.address() as AddressInfo).port}`);
  const path = "/fairlead.admin.v1.AdminService/CreateService";
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
  });
  for (const end of [session, stream]) end.on("error", () => undefined);
  const { input } = AdminService.method.createService;
  const body = toBinary(input, create(input, { service: { name } }));
  stream.end(Buffer.concat([Buffer.from([0, 0, 0, 0, body.length]), body]));
  // The last frame is the one of the body: it ends the stream.
  await expect.poll(() => Buffer.concat(chunks).includes(body)).toBe(true);
  session.destroy();
  recorder.close();
  return Buffer.concat(chunks);
}

const names = async (admin: AdminClient) =>
  (await admin.call(AdminService.method.listServices, {})).services.map((each) => each.name);

it("a check cannot speak to the plane's own ports: what works from outside never leaves it", async () => {
  const plane = disposables.use(await startPlane());
  const admin = adminOf(plane);
  const fromOutside = connect(Number(plane.addresses.admin.split(":")[1]), "127.0.0.1");
  fromOutside.write(await createServiceBytes("from-outside"));
  await eventually(
    () => names(admin),
    (all) => all.includes("from-outside"),
    { what: "the bytes create a service when somebody sends them" },
  );
  fromOutside.destroy();

  const send = (await createServiceBytes("from-inside")).toString("base64");
  const addresses = Object.entries(plane.addresses).flatMap(([port, address]): [string, string][] => [
    [port, address],
    [`${port}-mapped`, address.replace("127.0.0.1", "[::ffff:127.0.0.1]")],
  ]);
  const members = [...addresses, ["metadata", "169.254.169.254:80"] as const];
  await plane.mustApply(
    manifest(
      service("evil", { healthCheck: { tcp: { send }, ...FAST } }),
      ...members.map(([name, address]) => backend(`evil/${name}`, address)),
    ),
  );
  const found = await verdicts(admin, "evil", members.length);
  for (const [name, [status, reason]] of found) {
    expect(status).toBe(Health_Status.UNHEALTHY);
    expect(reason).toMatch(
      name === "evil/metadata" ? /is a metadata service of a cloud$/ : /is the plane's own \w+ port$/,
    );
  }
  expect(await plane.mustCli("explain", "backend", "evil/admin")).toContain("refused by the plane: 127.0.0.1:");
  expect(await names(admin)).not.toContain("from-inside");
  expect(plane.log().match(/refused by the plane/g)?.length).toBe(members.length);
});

it("a plane that listens beyond loopback checks nothing at loopback unless told, and itself never", async () => {
  const one = disposables.use(await startBackend("one"));
  const check = service("shop", { healthCheck: { http: {}, ...FAST } });
  const beyond = ["--insecure", "--http", "0.0.0.0:0"];
  const own = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .find(({ family, internal }) => family === "IPv4" && !internal)?.address;
  for (const [args, expected] of [
    [beyond, /^refused by the plane: 127.0.0.1 is a loopback address, .*--outbound-networks/],
    [[...beyond, "--outbound-networks", "10.0.0.0/8,127.0.0.0/8"], /^HTTP 200$/],
  ] as const) {
    await using plane = await startPlane({ args });
    const admin = connectAdmin(plane.addresses.admin);
    const http = plane.addresses.http.split(":")[1];
    const members: ManifestObject[] = [
      backend("shop/one", one.address),
      backend("shop/self", `${own ?? "127.0.0.1"}:${http}`),
    ];
    await plane.mustApply(manifest(check, ...members));
    const found = await verdicts(admin, "shop", 2);
    admin.close();
    expect(found.get("shop/one")?.[1]).toMatch(expected);
    expect(found.get("shop/self")?.[1]).toMatch(/is the plane's own http port$|is a loopback address/);
  }
});

it("checks that an earlier release let in cost their backends, and nothing else", async () => {
  const folder = tempFolder();
  disposables.defer(() => folder[Symbol.dispose]());
  const directory = join(folder.path, "data");
  const one = disposables.use(await startBackend("one", { protocol: "http2" }));
  const http = disposables.use(await startBackend("http"));
  const checks: readonly object[] = [
    ...["::1", "10.0.0.256", "shop.example:99999", "a:b:c", ":80", "[::1", "1.2.3.4.5"].map((authority) => ({
      grpc: { authority },
    })),
    { http: { tls: { serverName: "10.0.0.1" } } },
    { http: { headers: { trailer: "x" } } },
  ];
  const store = await openDirectoryStore({ directory, clock: systemClock });
  const ops = checks.flatMap((check, i) => [
    stored("service", `s${i}`, { healthCheck: { ...check, ...FAST } }),
    stored("backend", `s${i}/b`, { address: "grpc" in check ? one.address : http.address }),
  ]);
  await store.state.commit({ ops, cause: { actor: "test", operation: "test", reason: "", requestId: "" } });
  await store.state.close();

  const plane = disposables.use(await startPlane({ args: ["--data", directory] }));
  const admin = adminOf(plane);
  for (const i of checks.keys()) {
    const [[status, reason] = []] = (await verdicts(admin, `s${i}`, 1)).values();
    expect([status, reason]).toEqual([
      Health_Status.UNHEALTHY,
      expect.stringMatching(/^the check('s authority| broke)/),
    ]);
  }
  expect(await metricOf(plane, 'fairlead_contained_failures_total{source="probe"}')).toBeGreaterThan(0);
  expect((await fetch(`http://${plane.addresses.http}/readyz`)).status).toBe(200);
});

function stored(kind: "service" | "backend", name: string, json: object) {
  const read = messageFromJson(kind, { name, meta: { uid: name }, ...json });
  if (!read.ok) throw new Error(JSON.stringify(read.violations));
  return { op: "put", key: storeKey(kind, name), value: encodeStored(kind, read.message) } as const;
}
