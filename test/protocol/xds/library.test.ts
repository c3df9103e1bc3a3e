import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  CLUSTER_TYPE,
  LISTENER_TYPE,
  ResourceCache,
  type ResourceInput,
  ROUTE_TYPE,
  XdsServer,
  type XdsServerEvents,
} from "../../../src/xds/server/library.ts";
import { eventually } from "../../support/eventually.ts";
import { RawClient } from "./raw-client.ts";

const node = { id: "n1", cluster: "c1" };
const bytes = (typeUrl: string, name: string, content: string, extra: object = {}): ResourceInput => ({
  typeUrl,
  name,
  body: Buffer.from(content),
  references: [],
  ...extra,
});

let cache: ResourceCache;
let server: XdsServer;
let client: RawClient;
let identifier: string;

beforeEach(async () => {
  cache = new ResourceCache();
  identifier = "one";
  server = new XdsServer({ cache, groupOf: ({ cluster }) => cluster, identifier: () => identifier });
  client = new RawClient(await server.listen("127.0.0.1:0"));
});

afterEach(async () => {
  client.grpc.close();
  await server.stop({ graceMs: 100 });
});

describe("the caller gives the version", () => {
  it("of a resource: changed content under an equal version is still sent", async () => {
    const set = (content: string) =>
      cache.update("c1", (tx) => tx.set(bytes(CLUSTER_TYPE, "a", content, { version: "7" })));
    set("one");
    const stream = client.delta();
    stream.send({ node, typeUrl: CLUSTER_TYPE });
    for (const content of ["one", "two"]) {
      if (content === "two") set(content);
      const { resources, nonce } = await stream.next();
      expect(resources.map(({ name, version, resource }) => [name, version, String(resource?.value)])).toEqual([
        ["a", "7", String(Buffer.from(content))],
      ]);
      stream.send({ typeUrl: CLUSTER_TYPE, responseNonce: nonce });
    }
    expect(cache.update("c1", (tx) => tx.set(bytes(CLUSTER_TYPE, "a", "two", { version: "7" })))).toBe(
      cache.publication,
    );
  });

  it("of a type: it stands in SotW's version_info, and changed content under an equal version is still sent", async () => {
    cache.update("c1", (tx) => {
      tx.set(bytes(CLUSTER_TYPE, "a", "one"));
      tx.setTypeVersion(CLUSTER_TYPE, "v42");
    });
    const stream = client.sotw();
    stream.send({ node, typeUrl: CLUSTER_TYPE });
    const first = await stream.next();
    stream.send({ typeUrl: CLUSTER_TYPE, responseNonce: first.nonce, versionInfo: first.versionInfo });
    cache.update("c1", (tx) => tx.set(bytes(CLUSTER_TYPE, "a", "two")));
    const second = await stream.next();
    expect([first.versionInfo, second.versionInfo]).toEqual(["v42", "v42"]);
    expect(second.resources.map(({ value }) => String(Buffer.from(value)))).toEqual(["two"]);
    stream.send({ typeUrl: CLUSTER_TYPE, responseNonce: second.nonce, versionInfo: second.versionInfo });
    cache.update("c1", (tx) => {
      tx.set(bytes(CLUSTER_TYPE, "a", "three"));
      tx.setTypeVersion(CLUSTER_TYPE, undefined);
    });
    expect((await stream.next()).versionInfo).toMatch(/^s[0-9a-f]{32}$/);
  });
});

it("xds R27: a type's version of the caller's is told apart while something of it is kept back from a client", async () => {
  let holds = false;
  const held = new XdsServer({ cache, groupOf: () => "c1", hold: () => (holds ? "wave 2" : undefined) });
  using other = new RawClient(await held.listen("127.0.0.1:0"));
  cache.update("c1", (tx) => {
    for (const name of ["a", "b"]) tx.set(bytes(CLUSTER_TYPE, name, "1"));
    tx.setTypeVersion(CLUSTER_TYPE, "v1");
  });
  const stream = other.sotw();
  stream.send({ node, typeUrl: CLUSTER_TYPE });
  const first = await stream.next();
  stream.send({ typeUrl: CLUSTER_TYPE, responseNonce: first.nonce, versionInfo: first.versionInfo });
  holds = true;
  cache.update("c1", (tx) => {
    tx.set(bytes(CLUSTER_TYPE, "a", "2"));
    tx.setTypeVersion(CLUSTER_TYPE, "v2");
  });
  await eventually(
    () => held.clients()[0]?.types[0]?.resources.filter((resource) => resource.held !== undefined).length,
    (count) => count === 1,
    { what: "a is held" },
  );
  stream.send({ typeUrl: CLUSTER_TYPE, resourceNames: ["*", "b"], responseNonce: first.nonce, versionInfo: "v1" });
  holds = false;
  cache.update("c1", (tx) => tx.set(bytes(CLUSTER_TYPE, "c", "1")));
  const second = await stream.next();
  expect(second.resources.map(({ value }) => String(Buffer.from(value)))).toEqual(["1", "1", "1"]);
  expect(second.versionInfo).toMatch(/^v2\+s[0-9a-f]{32}$/);
  stream.send({
    typeUrl: CLUSTER_TYPE,
    resourceNames: ["*", "b"],
    responseNonce: second.nonce,
    versionInfo: second.versionInfo,
  });
  held.recheckHolds();
  const third = await stream.next();
  expect([third.versionInfo, third.resources.length]).toEqual(["v2", 3]);
  await held.stop({ graceMs: 100 });
});

describe("updates", () => {
  it("are atomic: many resources of several types appear together, and one that throws changes nothing", async () => {
    const stream = client.delta();
    stream.send({ node, typeUrl: CLUSTER_TYPE });
    const before = cache.publication;
    const fails = () =>
      cache.update("c1", (tx) => {
        tx.set(bytes(CLUSTER_TYPE, "half", "1"));
        throw new Error("changed my mind");
      });
    expect(fails).toThrow("changed my mind");
    expect([cache.publication, cache.groups()]).toEqual([before, []]);
    cache.update("c1", (tx) => {
      for (const name of ["a", "b", "c"]) tx.set(bytes(CLUSTER_TYPE, name, "1"));
      tx.set(bytes(LISTENER_TYPE, "l", "1"));
      tx.delete(CLUSTER_TYPE, "c");
    });
    expect((await stream.next()).resources.map(({ name }) => name)).toEqual(["a", "b"]);
  });

  it("reach only the streams of their group", async () => {
    for (const group of ["c1", "c2"]) cache.update(group, (tx) => tx.set(bytes(CLUSTER_TYPE, group, "1")));
    const streams = ["c1", "c2"].map((cluster) => {
      const stream = client.delta();
      stream.send({ node: { id: cluster, cluster }, typeUrl: CLUSTER_TYPE });
      return stream;
    });
    for (const [index, stream] of streams.entries()) {
      const { resources, nonce } = await stream.next();
      expect(resources.map(({ name }) => name)).toEqual([`c${index + 1}`]);
      stream.send({ typeUrl: CLUSTER_TYPE, responseNonce: nonce });
    }
    cache.update("c2", (tx) => tx.set(bytes(CLUSTER_TYPE, "more", "1")));
    expect((await streams[1]?.next())?.resources.map(({ name }) => name)).toEqual(["more"]);
    expect(streams[0]?.responses).toHaveLength(1);
  });
});

it("events tell of a stream's life in order: open, subscribe, sent, ACK, NACK, progress, close", async () => {
  const told: unknown[] = [];
  const listen = (event: keyof XdsServerEvents, what: (about: never) => unknown) =>
    server.on(event, (from: { node: { id: string } }, about?: unknown) => {
      told.push([event, from.node.id, what(about as never)]);
    });
  listen("open", () => "");
  listen("subscribe", ({ names, wildcard }: { names: number; wildcard: boolean }) => [names, wildcard]);
  listen("sent", ({ resources, removed }: { resources: number; removed: number }) => [resources, removed]);
  listen("ack", ({ names }: { names: string[] }) => names);
  listen("nack", ({ names, code, message }: { names: string[]; code: number; message: string }) => [
    names,
    code,
    message,
  ]);
  listen("progress", (pending: number | undefined) => pending);
  listen("close", () => "");
  cache.update("c1", (tx) => tx.set(bytes(CLUSTER_TYPE, "a", "1")));
  const stream = client.delta();
  stream.send({ node, typeUrl: CLUSTER_TYPE });
  stream.send({ typeUrl: CLUSTER_TYPE, responseNonce: (await stream.next()).nonce });
  await eventually(
    () => server.clients()[0]?.oldestPending,
    (pending) => pending === undefined,
    { what: "the first is settled" },
  );
  cache.update("c1", (tx) => tx.set(bytes(CLUSTER_TYPE, "a", "2")));
  const { nonce } = await stream.next();
  stream.send({ typeUrl: CLUSTER_TYPE, responseNonce: nonce, errorDetail: { code: 13, message: "too odd" } });
  await eventually(
    () => told.length,
    (count) => count === 10,
    { what: "the refusal is told" },
  );
  stream.call.end();
  await eventually(
    () => server.clients().length,
    (count) => count === 0,
    { what: "the stream is closed" },
  );
  expect(told).toEqual([
    ["open", "n1", ""],
    ["subscribe", "n1", [0, true]],
    ["sent", "n1", [1, 0]],
    ["progress", "n1", 1],
    ["ack", "n1", ["a"]],
    ["progress", "n1", undefined],
    ["sent", "n1", [1, 0]],
    ["progress", "n1", 2],
    ["nack", "n1", [["a"], 13, "too odd"]],
    ["progress", "n1", undefined],
    ["close", "n1", ""],
  ]);
});

it("xds D2: only the versions of resources mean anything: another system_version_info brings nothing again", async () => {
  cache.update("c1", (tx) => tx.set(bytes(CLUSTER_TYPE, "a", "1")));
  const first = client.delta();
  first.send({ node, typeUrl: CLUSTER_TYPE });
  const { resources, nonce, systemVersionInfo } = await first.next();
  first.send({ typeUrl: CLUSTER_TYPE, responseNonce: nonce });
  identifier = "two";
  const second = client.delta();
  const has = Object.fromEntries(resources.map(({ name, version }) => [name, version]));
  second.send({ node, typeUrl: CLUSTER_TYPE, initialResourceVersions: has });
  for (const stream of [first, second]) stream.send({ typeUrl: LISTENER_TYPE });
  const listeners = await second.next();
  expect([systemVersionInfo, listeners.systemVersionInfo]).toEqual(["one", "two"]);
  expect([(await first.next()).typeUrl, listeners.typeUrl]).toEqual([LISTENER_TYPE, LISTENER_TYPE]);
});

it("xds D18: a resource is named by `name` alone, a removal by `removed_resources` alone", async () => {
  cache.update("c1", (tx) => tx.set(bytes(ROUTE_TYPE, "a", "1")));
  const stream = client.delta();
  stream.send({
    node,
    typeUrl: ROUTE_TYPE,
    resourceNamesSubscribe: ["a", "none"],
    resourceLocatorsSubscribe: [{ name: "a", dynamicParameters: { x: "y" } }],
  });
  const response = await stream.next();
  expect(response.resources.map(({ name, resourceName }) => [name, resourceName])).toEqual([["a", undefined]]);
  expect(response.removedResources).toEqual(["none"]);
  expect(response.removedResourceNames).toEqual([]);
});
