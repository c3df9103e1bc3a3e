import { connect } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DeltaDiscoveryRequestSchema } from "../../../src/gen/envoy/service/discovery/v3/discovery_pb.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { Containment } from "../../../src/runtime/containment.ts";
import { silentLogger } from "../../../src/runtime/logger.ts";
import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  LocalRefusalMemory,
  ResourceCache,
  ROUTE_TYPE,
  XdsServer,
  type XdsServerOptions,
} from "../../../src/xds/server/library.ts";
import { eventually } from "../../support/eventually.ts";
import { Http2Client } from "./http2-client.ts";
import { RawClient } from "./raw-client.ts";

const CSDS = "/envoy.service.status.v3.ClientStatusDiscoveryService/StreamClientStatus";
const node = { id: "n1", cluster: "c1" };

let cache: ResourceCache;
let server: XdsServer;
let met: string[];
let containment: Containment;

async function start(options: Partial<XdsServerOptions> = {}): Promise<string> {
  const onLimit = (limit: string) => met.push(limit);
  server = new XdsServer({ cache, groupOf: () => "g", onLimit, containment, ...options });
  return server.listen("127.0.0.1:0");
}

beforeEach(() => {
  met = [];
  containment = new Containment({ clock: systemClock, log: silentLogger, registry: new Registry() });
  cache = new ResourceCache();
  cache.update("g", (tx) => tx.set({ typeUrl: CLUSTER_TYPE, name: "a", body: Buffer.from("1"), references: [] }));
});

afterEach(() => server.stop({ graceMs: 100 }));

/** Whether a client that begins now is served. */
async function serves(address: string): Promise<boolean> {
  using client = new RawClient(address);
  const stream = client.delta();
  stream.send({ node: { id: "other" }, typeUrl: CLUSTER_TYPE });
  return (await stream.next()).resources.length === 1;
}

/** Whether a connection that begins now is let in. */
async function answersPing(address: string): Promise<boolean> {
  using client = new Http2Client(address);
  return await new Promise((resolve) => {
    client.session.once("close", () => resolve(false));
    client.session.once("connect", () => client.session.ping((error) => resolve(error === null)));
  });
}

describe("a client has only so long", () => {
  it("for the first request of a stream, and for a request that it has begun", async () => {
    const address = await start({ limits: { requestMs: 200 } });
    using client = new Http2Client(address);
    const late = {
      code: status.DEADLINE_EXCEEDED,
      details: "no complete request arrived within 200 ms (XdsLimits.requestMs)",
    };
    const first = toBinary(
      DeltaDiscoveryRequestSchema,
      create(DeltaDiscoveryRequestSchema, { node, typeUrl: CLUSTER_TYPE }),
    );
    const silent = client.open();
    const slow = client.open();
    slow.write(first.subarray(0, 10), first.length);
    const stuck = client.open();
    stuck.write(first);
    const inTime = client.open();
    inTime.write(first);
    await eventually(
      () => stuck.received,
      (received) => received > 0,
      { what: "it is served" },
    );
    stuck.write(first.subarray(0, 10), first.length);
    for (const stream of [silent, slow, stuck]) expect(await stream.end()).toEqual(late);
    expect(met).toEqual(["requestMs", "requestMs", "requestMs"]);
    expect(inTime.ended).toBeUndefined();
  });

  it("to open a stream on its connection", async () => {
    const address = await start({ limits: { connectionIdleMs: 200 } });
    const preface = Buffer.concat([
      Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
      Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
    ]);
    const closed = [Buffer.alloc(0), preface.subarray(0, 10), preface].map((bytes) => {
      const socket = connect(Number(new URL(`http://${address}`).port), "127.0.0.1").resume();
      socket.on("error", () => undefined);
      socket.write(bytes);
      return new Promise((resolve) => socket.once("close", resolve));
    });
    await Promise.all(closed);
    expect(await serves(address)).toBe(true);
  });
});

it("a connection too many is closed, and one that leaves makes room", async () => {
  const address = await start({ limits: { maxConnections: 2 } });
  const held = [new Http2Client(address), new Http2Client(address)];
  await Promise.all(held.map(({ session }) => new Promise((resolve) => session.ping(resolve))));
  using refused = new Http2Client(address);
  await new Promise((resolve) => refused.session.once("close", resolve));
  expect(met).toEqual(["maxConnections"]);
  for (const client of held) client.session.destroy();
  await eventually(
    () => answersPing(address),
    (isOpen) => isOpen,
    { what: "there is room again" },
  );
  expect(await serves(address)).toBe(true);
});

it("of what a client refuses, only what it may run something of is remembered", async () => {
  const refusals = new LocalRefusalMemory();
  using client = new RawClient(await start({ refusals }));
  const stream = client.delta();
  stream.send({ node, typeUrl: ROUTE_TYPE, resourceNamesSubscribe: ["invented"] });
  const { nonce, removedResources } = await stream.next();
  expect(removedResources).toEqual(["invented"]);
  stream.send({ typeUrl: ROUTE_TYPE, responseNonce: nonce, errorDetail: { code: 13, message: "m".repeat(10_000) } });
  stream.send({ typeUrl: CLUSTER_TYPE });
  const clusters = await stream.next();
  stream.send({ typeUrl: CLUSTER_TYPE, responseNonce: clusters.nonce, errorDetail: { code: 13, message: "no" } });
  await eventually(
    () => [...refusals.load("n1")],
    (known) => known.length > 0,
    { what: "the refusal is remembered" },
  );
  expect([...refusals.load("n1")].map(({ name }) => name)).toEqual(["a"]);
  const texts = server
    .clients()[0]
    ?.types.flatMap(({ refused }) => refused.map((each) => each.refused?.message.length));
  expect(new Set(texts)).toEqual(new Set([2, 4096]));
});

it("a client whose node makes its connection hold too much is refused before it is placed in a group, which would keep it", async () => {
  const placed: string[] = [];
  const groupOf = ({ id }: { readonly id: string }) => {
    placed.push(id);
    return "g";
  };
  using client = new RawClient(await start({ groupOf, limits: { maxHeldBytesPerConnection: 17_000 } }));
  const large = client.delta();
  large.send({ node: { id: "large", cluster: "c".repeat(1000) }, typeUrl: CLUSTER_TYPE });
  expect(await large.end()).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
  expect(placed).toEqual([]);
  expect(met).toContain("maxHeldBytesPerConnection");
  expect(await serves(await server.listen("127.0.0.1:0"))).toBe(true);
});

it.each(["goes on", "has said all"])("a client without a name that %s is told that it needs one", async (way) => {
  using client = new RawClient(await start());
  const stream = client.delta();
  stream.send({ node: { cluster: "c1" }, typeUrl: CLUSTER_TYPE });
  if (way === "has said all") stream.call.end();
  expect(await stream.end()).toEqual({
    code: status.INVALID_ARGUMENT,
    details: "node.id is empty; it must name the client",
  });
});

describe("a fault that one client brings about ends its stream, is counted, and harms no other", () => {
  const fails = (client: { node: { id: string } }): undefined => {
    if (client.node.id === "bad") throw new Error("nobody expected this");
  };

  it.each<[string, (address: XdsServer) => void, Partial<XdsServerOptions>]>([
    ["where it is placed", () => undefined, { groupOf: (about) => fails({ node: about }) ?? "g" }],
    ["where something is held back", () => undefined, { hold: (client) => fails(client) }],
    ["in who is told that it opened", (plane) => plane.on("open", fails), {}],
    ["in who is told what was sent", (plane) => plane.on("sent", fails), {}],
    ["in who is told of an ACK", (plane) => plane.on("ack", fails), {}],
    ["in who is told of progress", (plane) => plane.on("progress", fails), {}],
  ])("%s", async (_, listen, options) => {
    const address = await start(options);
    listen(server);
    using client = new RawClient(address);
    const good = client.delta();
    good.send({ node, typeUrl: CLUSTER_TYPE });
    const { nonce } = await good.next();
    const stream = client.delta();
    stream.send({ node: { id: "bad" }, typeUrl: CLUSTER_TYPE });
    stream.send({ typeUrl: CLUSTER_TYPE, responseNonce: "x" });
    void stream.next().then(
      (response) => stream.send({ typeUrl: CLUSTER_TYPE, responseNonce: response.nonce }),
      () => undefined,
    );
    expect((await stream.end()).code).toBe(status.INTERNAL);
    expect(containment.failures().map(({ source, message }) => `${source}: ${message}`)).toEqual([
      "xds: nobody expected this",
    ]);
    expect(server.clients().map((each) => each.node.id)).toEqual(["n1"]);
    good.send({ typeUrl: CLUSTER_TYPE, responseNonce: nonce });
    cache.update("g", (tx) => tx.set({ typeUrl: CLUSTER_TYPE, name: "b", body: Buffer.from("1"), references: [] }));
    expect((await good.next()).resources.map(({ name }) => name)).toEqual(["b"]);
  });
});

describe("the client status service", () => {
  it("refuses an answer that would be too large, and says what to do", async () => {
    const address = await start({ clientStatus: () => true, limits: { maxStatusBytes: 100 } });
    using client = new RawClient(address);
    const stream = client.delta();
    stream.send({ node, typeUrl: CLUSTER_TYPE });
    await stream.next();
    using asking = new Http2Client(address);
    const call = asking.open(CSDS);
    call.write(Buffer.alloc(0));
    const { code, details } = await call.end();
    expect(code).toBe(status.RESOURCE_EXHAUSTED);
    expect(details).toMatch(
      /^the status of 1 clients has \d+ bytes: select nodes by id, or exclude contents; at most 100 /,
    );
    expect(met).toEqual(["maxStatusBytes"]);
  });

  it("answers one request at a time, as its client reads, and takes few before that", async () => {
    const address = await start({ clientStatus: () => true });
    cache.update("g", (tx) => {
      tx.set({ typeUrl: ENDPOINT_TYPE, name: "a", body: Buffer.alloc(1_000_000), references: [] });
    });
    using client = new RawClient(address);
    const stream = client.delta();
    stream.send({ node, typeUrl: ENDPOINT_TYPE, resourceNamesSubscribe: ["a"] });
    await stream.next();
    using asking = new Http2Client(address);
    const call = asking.open(CSDS);
    call.stream.pause();
    for (let index = 0; index < 40; index++) call.write(Buffer.alloc(0));
    await new Promise((resolve) => asking.session.ping(resolve));
    call.stream.resume();
    expect(await call.end()).toEqual({
      code: status.RESOURCE_EXHAUSTED,
      details: "16 requests are waiting for their answers: read those first",
    });
    expect(call.received).toBeLessThan(3_000_000);
    expect(await serves(address)).toBe(true);
  });

  it("takes no large request, and none that is no request", async () => {
    using client = new Http2Client(await start({ clientStatus: () => true }));
    const large = client.open(CSDS);
    large.write(Buffer.alloc(100), 100_000);
    expect((await large.end()).details).toBe(
      "the request has 100,000 bytes; at most 65,536 (XdsLimits.maxStatusRequestBytes)",
    );
    const broken = client.open(CSDS);
    broken.write(Buffer.from([0xff]));
    expect(await broken.end()).toEqual({ code: status.INVALID_ARGUMENT, details: "the request cannot be decoded" });
  });
});
