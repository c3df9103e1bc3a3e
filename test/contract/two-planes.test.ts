/** Two planes in one process that share a bucket on a real nats-server, each of them as the product puts it together. */
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Running, start } from "../../src/app/start.ts";
import { type AdminClient, connectAdmin } from "../../src/cli/admin-client.ts";
import { AdminService } from "../../src/gen/fairlead/admin/v1/admin_pb.ts";
import { Change_Action as Action, type AnyObject } from "../../src/gen/fairlead/admin/v1/apply_pb.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { silentLogger } from "../../src/runtime/logger.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { manifestKind, messageFromJson } from "../../src/schema/object-json.ts";
import { ENDPOINT_TYPE } from "../../src/xds/protocol/resource-types.ts";
import { RawClient } from "../protocol/xds/raw-client.ts";
import { eventually } from "../support/eventually.ts";
import { backend, fleet, listener, routeTo, service } from "../support/manifest.ts";
import { type NatsCluster, startNats } from "../support/nats.ts";
import { PeerForger } from "../support/peer-forger.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";

const ADMIN = AdminService.method;
const ANY_PORT = { host: "127.0.0.1", port: 0 };

let nats: NatsCluster;
const running: Running[] = [];
const clients: { close(): void }[] = [];

beforeEach(async () => {
  nats = await startNats({ size: 1 });
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await Promise.all(running.splice(0).map((plane) => plane.stop(0)));
  await nats.stop();
});

const natsPort = () => Number(new URL(nats.urls[0] ?? "").port);

interface Plane {
  readonly admin: AdminClient;
  readonly xds: RawClient;
  /** Address of its probes and metrics. */
  readonly http: string;
}

async function plane(
  replica: string,
  profiles: readonly number[],
  urls: readonly string[] = nats.urls,
): Promise<Plane> {
  const servers = urls.map((url) => new URL(url).host);
  const store = { kind: "nats", servers, bucket: "fairlead", copies: 1, login: undefined, tls: undefined } as const;
  const addresses = { xds: ANY_PORT, admin: ANY_PORT, http: ANY_PORT };
  const rest = { logLevel: "fatal", stopGraceMs: 100, outboundNetworks: [], warnings: [] };
  const config = { ...addresses, ...rest, store, replica };
  const machine = { clock: systemClock, random: systemRandom, log: silentLogger, interfaces: () => [] };
  const started = await start(config, { ...machine, profiles });
  running.push(started);
  const admin = connectAdmin(started.addresses.admin);
  const xds = new RawClient(started.addresses.xds);
  clients.push(admin, xds.grpc);
  return { admin, xds, http: started.addresses.http };
}

const OBJECTS = [
  fleet("edge"),
  service("shop"),
  backend("shop/a", "10.0.0.1:80"),
  backend("shop/b", "10.0.0.2:80"),
  listener("web", 10_000),
  routeTo("shop"),
];

/** The endpoints that a proxy is sent first when it comes, with nothing, and their version. */
async function firstEndpoints(xds: RawClient, id: string) {
  const stream = xds.delta();
  stream.send({ node: { id, cluster: "edge" }, typeUrl: ENDPOINT_TYPE, resourceNamesSubscribe: ["shop"] });
  const [resource] = (await stream.next()).resources;
  stream.call.cancel();
  return { version: resource?.version, body: Buffer.from(resource?.resource?.value ?? []).toString("base64") };
}

async function errorOf(answer: Promise<unknown>): Promise<string> {
  return await answer.then(
    () => "",
    (error: Error) => error.message,
  );
}

it("switch to another encoding profile together, once each of them supports it", async () => {
  const old = await plane("plane-old", [1]);
  const { admin, xds } = await plane("plane-new", [1, 2]);
  await applyAll(admin);
  const before = await firstEndpoints(xds, "edge-1");
  expect(await firstEndpoints(old.xds, "edge-2")).toEqual(before);
  await eventually(
    () => errorOf(admin.call(ADMIN.setEncodingProfile, { profile: 2 })),
    (message) => message.includes("plane-old supports 1"),
    { what: "the switch is refused" },
  );
  await running.shift()?.stop(0);
  const next = await plane("plane-next", [1, 2]);
  await eventually(
    () => errorOf(admin.call(ADMIN.setEncodingProfile, { profile: 2 })),
    (message) => message === "",
    { what: "the switch is done" },
  );
  const after = await eventually(
    () => Promise.all([firstEndpoints(xds, "edge-1"), firstEndpoints(next.xds, "edge-2")]),
    ([one, other]) => one.version === other.version && one.version !== before.version,
    { what: "both serve the other bytes" },
  );
  expect(after[1]).toEqual(after[0]);
  expect((await next.admin.call(ADMIN.getStatus, {})).encodingProfile).toBe(2);
  await expect(plane("plane-old", [1])).rejects.toMatchObject({ code: "PROFILE_UNSUPPORTED" });
});

it("never take a proxy back that moves from one to the other, where the newer state only removed something", async () => {
  const one = await plane("plane-1", [1, 2]);
  const other = await plane("plane-2", [1, 2]);
  await applyAll(one.admin);
  await eventually(
    () => firstEndpoints(other.xds, "edge-0"),
    ({ body }) => body.length > 0,
    { what: "both hold the state" },
  );
  for (let i = 0; i < 20; i++) {
    const [here, there] = i % 2 === 0 ? [one, other] : [other, one];
    const name = `shop/x${i}`;
    await here.admin.call(ADMIN.registerBackend, { backend: { name, target: targetOf(i) } });
    const added = await firstEndpoints(here.xds, "edge-1");
    await here.admin.call(ADMIN.unregisterBackend, { name });
    const removed = await firstEndpoints(here.xds, "edge-1");
    expect(removed.version).not.toBe(added.version);
    // The other one may not have heard of the removal yet, and must not answer before it has.
    expect((await firstEndpoints(there.xds, "edge-1")).version).toBe(removed.version);
  }
});

it("let no check reach the store, whatever it is called", async () => {
  const { admin } = await plane("plane-1", [1, 2], [`nats://localhost:${natsPort()}`]);
  const healthCheck = { tcp: {}, interval: "0.2s", unhealthyThreshold: 1 };
  const documents = [
    service("store", { healthCheck }),
    backend("store/a", `127.0.0.1:${natsPort()}`),
    backend("store/b", `[::ffff:127.0.0.1]:${natsPort()}`),
  ];
  await admin.call(ADMIN.apply, { objects: objects(...documents) });
  const { health } = await eventually(
    () => admin.call(ADMIN.listHealth, { service: "store" }),
    (found) => found.health.length === 2,
    { what: "both have a verdict" },
  );
  for (const { reason } of health)
    expect(reason).toMatch(/^refused by the plane: .* is a server of the plane's store$/);
});

describe("a plane that hears the store late", () => {
  /** Two planes that hold the same; the wire of the second is cut, and the first serves what it has removed since. */
  async function oneIsBehind(wire: TcpProxy) {
    const one = await plane("plane-1", [1, 2]);
    const late = await plane("plane-2", [1, 2], [`nats://127.0.0.1:${wire.port}`]);
    await applyAll(one.admin);
    const before = await firstEndpoints(late.xds, "edge-0");
    wire.cut();
    await one.admin.call(ADMIN.unregisterBackend, { name: "shop/b" });
    const { version = "" } = await firstEndpoints(one.xds, "edge-1");
    expect(version).not.toBe(before.version);
    return { one, late, version };
  }

  /** `edge-1` comes to a plane, with the endpoints that it says it has. */
  async function move({ xds, http }: Plane, initialResourceVersions: Record<string, string>) {
    const stream = xds.delta();
    const node = { id: "edge-1", cluster: "edge" };
    stream.send({ node, typeUrl: ENDPOINT_TYPE, resourceNamesSubscribe: ["shop"], initialResourceVersions });
    await eventually(
      async () => await (await fetch(`http://${http}/metrics`)).text(),
      (text) => text.includes('fairlead_proxies{fleet="edge",state="connected"} 1'),
      { what: "the proxy is there" },
    );
    return stream;
  }

  it("lets a proxy wait that has seen a removal", async () => {
    await using wire = await startTcpProxy(natsPort());
    const { late, version } = await oneIsBehind(wire);
    const moved = await move(late, {});
    expect(moved.responses).toEqual([]);
    wire.mend();
    expect((await moved.next()).resources.map((resource) => resource.version)).toEqual([version]);
  });

  it("does not say from its old state that nothing is to be done, or that a thing is not there", async () => {
    await using wire = await startTcpProxy(natsPort());
    const { one, late } = await oneIsBehind(wire);
    await one.admin.call(ADMIN.registerBackend, { backend: { name: "shop/c", target: targetOf(3) } });
    const again = { objects: objects(backend("shop/b", "10.0.0.2:80")) };
    expect(await errorOf(late.admin.call(ADMIN.apply, again))).toMatch(/cannot be written|nothing was written/);
    wire.mend();
    const applied = await eventually(
      () => late.admin.call(ADMIN.apply, again),
      () => true,
      { what: "writes go on" },
    );
    expect(applied.changes.map(({ action }) => action)).toEqual([Action.CREATE]);
    await late.admin.call(ADMIN.unregisterBackend, { name: "shop/c" });
  });

  it("holds back what it has, when that takes too long", async () => {
    await using wire = await startTcpProxy(natsPort());
    const { one, late, version } = await oneIsBehind(wire);
    const moved = await move(late, { shop: version });
    await eventually(
      async () => (await late.admin.call(ADMIN.getNode, { id: "edge-1" })).types[0]?.resources[0]?.held,
      (held) => held === "store_unreachable",
      { what: "the plane holds it back" },
    );
    expect(await late.admin.call(ADMIN.getBackend, { name: "shop/b" })).toMatchObject({ name: "shop/b" });
    expect(moved.responses).toEqual([]);
    wire.mend();
    await one.admin.call(ADMIN.registerBackend, { backend: { name: "shop/c", target: targetOf(3) } });
    const newest = await firstEndpoints(one.xds, "edge-2");
    const [next] = (await moved.next()).resources;
    expect([version, newest.version]).toContain(next?.version);
  });
});

it("go on writing and serving while somebody who is no plane says all sorts of things to them", async () => {
  const [one, other] = [await plane("plane-1", [1, 2]), await plane("plane-2", [1, 2])];
  await applyAll(one.admin);
  await eventually(
    () => one.admin.call(ADMIN.getStatus, {}),
    ({ replicas }) => replicas.length === 2,
    { what: "the planes hear each other" },
  );
  await using forger = await PeerForger.open(nats.urls, "fairlead");
  await forger.record();
  const streams = [one, other].map(({ xds }, i) => {
    const stream = xds.delta();
    const node = { id: `edge-${i}`, cluster: "edge" };
    stream.send({ node, typeUrl: ENDPOINT_TYPE, resourceNamesSubscribe: ["shop"] });
    return stream;
  });
  const lies = await liesOf(forger);
  const over = new AbortController();
  const attack = (async () => {
    while (!over.signal.aborted) {
      for (const [subject, data] of lies) forger.connection.publish(subject, data, { reply: "_INBOX_fairlead.x" });
      const heard = forger.heard.splice(0).filter(({ subject }) => subject.startsWith("fairlead."));
      await forger.sayAgain(heard.slice(-20));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  const served = () =>
    Promise.all(
      streams.map(async (stream) => {
        const response = await stream.next();
        stream.send({ typeUrl: ENDPOINT_TYPE, responseNonce: response.nonce });
        return response.resources[0]?.version;
      }),
    );
  await served();
  for (let i = 0; i < 30; i++) {
    const writer = i % 2 === 0 ? one : other;
    const startedAt = performance.now();
    await writer.admin.call(ADMIN.registerBackend, { backend: { name: `shop/y${i}`, target: targetOf(i) } });
    const [first, second] = await served();
    expect(first).toBe(second);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  }
  over.abort();
  await attack;
  for (const { admin, http } of [one, other]) {
    const { replicas, problems } = await admin.call(ADMIN.getStatus, {});
    expect(replicas.map(({ name, live, held }) => [name, live, held])).toEqual([
      ["plane-1", true, ""],
      ["plane-2", true, ""],
    ]);
    expect(problems.map(({ what }) => what)).toContain("messages to the replicas are refused");
    expect(problems.filter(({ what }) => what.includes("input failed"))).toEqual([]);
    expect((await fetch(`http://${http}/readyz`)).status).toBe(200);
    const metrics = await (await fetch(`http://${http}/metrics`)).text();
    expect(metrics).toMatch(/fairlead_peer_messages_refused_total\{reason="unsigned"\} [1-9]/);
    expect(metrics).toMatch(/fairlead_peer_messages_refused_total\{reason="replayed"\} [1-9]/);
    expect(metrics).toMatch(/fairlead_peer_messages_refused_total\{reason="too_many"\} 0/);
  }
});

/** What would end, hold, shed or fill a plane that believed it: without the key, and with it but no process behind it. */
async function liesOf(forger: PeerForger): Promise<readonly (readonly [string, Uint8Array | string])[]> {
  const revision = { epoch: 1, position: 900_000 };
  const sender = { replica: "z", instance: "i", since: 1 };
  const texts = [
    "no json",
    JSON.stringify({ ...sender, position: {} }),
    JSON.stringify({ ...sender, position: { revision, held: "store_went_back" } }),
    JSON.stringify({ ...sender, replica: "plane-2", instance: "i2" }),
  ];
  const said = await Promise.all(
    ["plane-1", "plane-2", "z"].map(async (replica) => {
      const position = { revision, storeWentBack: true } as const;
      const lie = await forger.sealedPosition({ sender: { ...sender, replica, sequence: 1e9 }, position });
      return [forger.positionSubject(replica), lie] as const;
    }),
  );
  const topics = ["name", "proxies", "progress", "farewell", "health-second-opinion"];
  const subjects = ["plane-1", "plane-2"].flatMap((replica) => [
    forger.positionSubject(replica),
    ...topics.map((topic) => forger.questionSubject(replica, topic)),
  ]);
  // Where planes from before there were seals tell it.
  subjects.push("fairlead.fairlead.position.eg");
  return [...said, ...subjects.flatMap((subject) => texts.map((text) => [subject, text] as const))];
}

it("freeze when the bucket was replaced under them, also those that come only then", async () => {
  const one = await plane("plane-1", [1, 2]);
  await applyAll(one.admin);
  const served = await firstEndpoints(one.xds, "edge-1");
  const connection = await connect({ servers: [...nats.urls] });
  await (await jetstreamManager(connection)).streams.delete("KV_fairlead");
  await connection.close();
  const late = await plane("plane-2", [1, 2]);
  await eventually(
    () => Promise.all([one, late].map(({ admin }) => admin.call(ADMIN.getStatus, {}))),
    ([first, second]) => {
      const saw = first?.problems.some(({ what }) => what === "store went back");
      // Until the first has seen it, the two may differ at one revision and send nothing for that reason.
      const holds = second?.problems.some(({ what, why }) => {
        return what === "this replica sends nothing" && why === "store_went_back";
      });
      return saw === true && holds === true;
    },
    { what: "both say so" },
  );
  const turnedAway = late.xds.delta();
  turnedAway.send({
    node: { id: "edge-1", cluster: "edge" },
    typeUrl: ENDPOINT_TYPE,
    resourceNamesSubscribe: ["shop"],
  });
  expect(await turnedAway.end()).toMatchObject({ details: "store_went_back" });
  expect((await firstEndpoints(one.xds, "edge-2")).version).toBe(served.version);
  expect(await errorOf(one.admin.call(ADMIN.unregisterBackend, { name: "shop/a" }))).toContain("without a new epoch");
});

function targetOf(i: number) {
  return { case: "address", value: `10.1.0.${i + 1}:80` } as const;
}

async function applyAll(admin: AdminClient): Promise<void> {
  await admin.call(ADMIN.apply, { objects: objects(...OBJECTS) });
}

function objects(...documents: typeof OBJECTS) {
  return documents.map(({ kind: word, ...json }) => {
    const named = manifestKind(word);
    if (!named.ok) throw new Error(named.message);
    const read = messageFromJson(named.kind, json);
    if (!read.ok) throw new Error(JSON.stringify(read.violations));
    return { object: { case: named.kind, value: read.message } as AnyObject["object"] };
  });
}
