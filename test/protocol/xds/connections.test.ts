import { credentials, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  CLUSTER_TYPE,
  type Peer,
  type Placement,
  ResourceCache,
  ServerCredentials,
  XdsServer,
  type XdsServerOptions,
} from "../../../src/xds/server/library.ts";
import { Authority, type KeyPair } from "../../support/certificates.ts";
import { eventually } from "../../support/eventually.ts";
import { startTcpProxy } from "../../support/tcp-proxy.ts";
import { RawClient } from "./raw-client.ts";

const node = { id: "n1", cluster: "c1" };

let cache: ResourceCache;
let server: XdsServer;

function set(group: string, name: string, content: string): void {
  cache.update(group, (tx) => tx.set({ typeUrl: CLUSTER_TYPE, name, body: Buffer.from(content), references: [] }));
}

async function start(options: Partial<XdsServerOptions>, tls?: ServerCredentials): Promise<string> {
  server = new XdsServer({ cache, groupOf: () => "g", ...options });
  return server.listen("127.0.0.1:0", tls);
}

beforeEach(() => {
  cache = new ResourceCache();
  set("g", "a", "1");
});

afterEach(() => server.stop({ graceMs: 100 }));

it("a client that stops answering pings is dropped, and one that answers stays", async () => {
  const address = await start({ limits: { keepaliveMs: 100, keepaliveTimeoutMs: 200 } });
  await using proxy = await startTcpProxy(Number(new URL(`http://${address}`).port));
  using dead = new RawClient(`127.0.0.1:${proxy.port}`);
  using alive = new RawClient(address);
  dead.delta().send({ node: { id: "dead" }, typeUrl: CLUSTER_TYPE });
  const stream = alive.delta();
  stream.send({ node: { id: "alive" }, typeUrl: CLUSTER_TYPE });
  await eventually(
    () => server.clients().length,
    (count) => count === 2,
    { what: "both are there" },
  );
  proxy.cut();
  const left = await eventually(
    () => server.clients().map((client) => client.node.id),
    (ids) => !ids.includes("dead"),
    { what: "the dead one is dropped" },
  );
  expect(left).toEqual(["alive"]);
  stream.send({ typeUrl: CLUSTER_TYPE, responseNonce: (await stream.next()).nonce });
  set("g", "b", "1");
  expect((await stream.next()).resources.map(({ name }) => name)).toEqual(["b"]);
});

it("xds R21: a connection ends within its age ± 10 %, and its client goes on without loss and without resends", async () => {
  const ageMs = 400;
  const address = await start({ limits: { maxConnectionAgeMs: ageMs } });
  const lifetimes: number[] = [];
  server.on("close", ({ streamId }) => lifetimes.push(performance.now() - (openedAt.get(streamId) ?? Number.NaN)));
  const openedAt = new Map<string, number>();
  server.on("open", ({ streamId }) => openedAt.set(streamId, performance.now()));
  using client = new RawClient(address);
  const has = new Map<string, string>();
  const received: string[] = [];
  let round = 0;
  for (let stream = 1; stream <= 3; stream++) {
    const call = client.delta();
    call.send({ node, typeUrl: CLUSTER_TYPE, initialResourceVersions: Object.fromEntries(has) });
    let taken = 0;
    const read = () => {
      for (const { resources, nonce } of call.responses.slice(taken)) {
        taken++;
        for (const { name, version } of resources) {
          has.set(name, version);
          received.push(`${name} ${version}`);
        }
        call.send({ typeUrl: CLUSTER_TYPE, responseNonce: nonce });
      }
    };
    await eventually(
      () => {
        read();
        set("g", "a", String(round++));
        return call.ended;
      },
      (ended) => ended !== undefined,
      { what: "the connection ends" },
    );
    read();
  }
  const last = client.delta();
  last.send({ node, typeUrl: CLUSTER_TYPE, initialResourceVersions: Object.fromEntries(has) });
  set("g", "last", "1");
  await eventually(
    () => last.responses.flatMap(({ resources }) => resources.map(({ name }) => name)),
    (names) => names.includes("last"),
    { what: "the last change arrives" },
  );
  for (const { resources } of last.responses) for (const { name, version } of resources) has.set(name, version);
  expect(Object.fromEntries(has)).toEqual(
    Object.fromEntries(cache.list("g", CLUSTER_TYPE).map(({ name, version }) => [name, version])),
  );
  expect(received.length).toBeGreaterThan(3);
  expect(new Set(received).size).toBe(received.length);
  expect(lifetimes).toHaveLength(3);
  // The age, its jitter, the grace of a second, and what a busy machine needs.
  for (const lifetime of lifetimes) {
    expect(lifetime).toBeGreaterThan(ageMs * 0.9 - 20);
    expect(lifetime).toBeLessThan(ageMs * 1.1 + 1000 + 5000);
  }
});

describe("over TLS", () => {
  const authority = new Authority();
  const serverPair = authority.issue("DNS:plane.test");
  const mutual = () =>
    ServerCredentials.createSsl(
      Buffer.from(authority.certificate),
      [{ cert_chain: Buffer.from(serverPair.certificate), private_key: Buffer.from(serverPair.key) }],
      true,
    );
  const clientOf = (address: string, pair?: KeyPair) =>
    new RawClient(address, {
      serverName: "plane.test",
      channel: credentials.createSsl(
        Buffer.from(authority.certificate),
        ...(pair ? [Buffer.from(pair.key), Buffer.from(pair.certificate)] : []),
      ),
    });
  const byName = (_node: unknown, { names }: Peer): Placement => {
    const [fleet] = names.uris.flatMap((uri) => /^spiffe:\/\/test\/fleet\/(.+)$/.exec(uri)?.[1] ?? []);
    if (fleet !== undefined) return { group: fleet };
    return names.dns.includes("guest.test") ? { silent: "guests wait" } : { refuse: "no fleet in the certificate" };
  };

  it("the client's certificate decides the group, whatever the node says", async () => {
    set("edge", "of-edge", "1");
    set("core", "of-core", "x".repeat(1_000_000));
    const address = await start({ groupOf: byName }, mutual());
    for (const fleet of ["edge", "core"]) {
      using client = clientOf(address, authority.issue(`URI:spiffe://test/fleet/${fleet}`, "DNS:other.test"));
      const stream = client.delta();
      stream.send({ node: { id: "n1", cluster: "g" }, typeUrl: CLUSTER_TYPE });
      expect((await stream.next()).resources.map(({ name }) => name)).toEqual([`of-${fleet}`]);
      const [known] = server.clients();
      expect(known?.group).toBe(fleet);
      expect(known?.peer.names).toEqual({
        uris: [`spiffe://test/fleet/${fleet}`],
        dns: ["other.test"],
        addresses: [],
      });
      stream.call.cancel();
      await eventually(
        () => server.clients().length,
        (count) => count === 0,
        { what: "the stream is closed" },
      );
    }
  });

  it("a certificate can keep a stream silent, or refuse it before the first byte", async () => {
    const address = await start({ groupOf: byName }, mutual());
    using guest = clientOf(address, authority.issue("DNS:guest.test"));
    const silent = guest.delta();
    silent.send({ node, typeUrl: CLUSTER_TYPE });
    await eventually(
      () => server.clients()[0]?.silent,
      (reason) => reason === "guests wait",
      { what: "it is silent" },
    );
    using stranger = clientOf(address, authority.issue("DNS:stranger.test"));
    const refused = stranger.delta();
    refused.send({ node, typeUrl: CLUSTER_TYPE });
    expect(await refused.end()).toEqual({
      code: status.PERMISSION_DENIED,
      details: "no fleet in the certificate",
    });
    expect([...silent.responses, ...refused.responses]).toEqual([]);
  });

  it.each([
    ["no certificate", undefined],
    ["one of another authority", new Authority().issue("URI:spiffe://test/fleet/g")],
  ])("a client with %s gets no stream at all", async (_what, pair) => {
    let asked = false;
    const groupOf = () => {
      asked = true;
      return "g";
    };
    const address = await start({ groupOf }, mutual());
    using client = clientOf(address, pair);
    const stream = client.delta();
    stream.send({ node, typeUrl: CLUSTER_TYPE });
    expect((await stream.end()).code).toBe(status.UNAVAILABLE);
    expect(stream.responses).toEqual([]);
    expect(asked).toBe(false);
    using welcome = clientOf(address, authority.issue("DNS:anyone.test"));
    const served = welcome.delta();
    served.send({ node, typeUrl: CLUSTER_TYPE });
    expect((await served.next()).resources).toHaveLength(1);
  });

  it("a name cannot be smuggled in through another", async () => {
    let seen: readonly string[] = [];
    const groupOf = (about: unknown, peer: Peer) => {
      seen = peer.names.uris;
      return byName(about, peer);
    };
    const address = await start({ groupOf }, mutual());
    const smuggling = authority.issue("URI:https://x.test/, URI:spiffe://test/fleet/edge");
    using client = clientOf(address, smuggling);
    const stream = client.delta();
    stream.send({ node, typeUrl: CLUSTER_TYPE });
    expect((await stream.end()).code).toBe(status.PERMISSION_DENIED);
    expect(seen).toEqual(["https://x.test/, URI:spiffe://test/fleet/edge"]);
  });
});
