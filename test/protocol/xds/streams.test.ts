import { create } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NodeSchema } from "../../../src/gen/envoy/config/core/v3/base_pb.ts";
import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  LEDS_TYPE,
  LISTENER_TYPE,
  ResourceCache,
  type ResourceInput,
  ROUTE_TYPE,
  XdsServer,
  type XdsServerOptions,
} from "../../../src/xds/server/library.ts";
import { DISCOVERY_METHODS } from "../../../src/xds/server/services.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { RawClient, SotwStream } from "./raw-client.ts";

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

async function start(options: Partial<XdsServerOptions> = {}): Promise<void> {
  server = new XdsServer({ cache, groupOf: () => "g", ...options });
  client = new RawClient(await server.listen("127.0.0.1:0"));
}

beforeEach(() => {
  cache = new ResourceCache();
  cache.update("g", (tx) => {
    tx.set(bytes(CLUSTER_TYPE, "a", "1"));
    tx.set(bytes(ENDPOINT_TYPE, "a", "1"));
  });
});

afterEach(async () => {
  client.grpc.close();
  await server.stop({ graceMs: 100 });
});

describe("a stream", () => {
  it("xds C1: reads the node from the first request and remembers it", async () => {
    const seen: string[] = [];
    await start({
      groupOf: ({ id }) => {
        seen.push(id);
        return "g";
      },
    });
    const stream = client.delta();
    stream.send({ node, typeUrl: CLUSTER_TYPE });
    expect((await stream.next()).resources.map(({ name }) => name)).toEqual(["a"]);
    stream.send({ typeUrl: LISTENER_TYPE });
    expect((await stream.next()).typeUrl).toBe(LISTENER_TYPE);
    expect(seen).toEqual(["n1"]);
  });

  it("xds C1: refuses a first request without a node", async () => {
    await start();
    const stream = client.delta();
    stream.send({ typeUrl: CLUSTER_TYPE });
    expect((await stream.end()).code).toBe(status.INVALID_ARGUMENT);
  });

  it("xds C2: ends when the node changes its id, and disturbs no other stream", async () => {
    await start();
    const other = client.delta();
    other.send({ node, typeUrl: CLUSTER_TYPE });
    await other.next();
    const stream = client.delta();
    stream.send({ node, typeUrl: CLUSTER_TYPE });
    await stream.next();
    stream.send({ node: { ...node, id: "n2" }, typeUrl: LISTENER_TYPE });
    expect((await stream.end()).code).toBe(status.INVALID_ARGUMENT);
    cache.update("g", (tx) => tx.set(bytes(CLUSTER_TYPE, "b", "1")));
    other.send({ typeUrl: CLUSTER_TYPE, responseNonce: other.responses[0]?.nonce ?? "" });
    expect((await other.next()).resources.map(({ name }) => name)).toEqual(["b"]);
  });

  it("xds R26, E2: takes a node of 60 KB in every request, and reads it once", async () => {
    let reads = 0;
    await start({
      groupOf: () => {
        reads++;
        return "g";
      },
    });
    const large = create(NodeSchema, {
      ...node,
      extensions: Array.from({ length: 500 }, (_, index) => ({ name: `envoy.extension.${index}`.padEnd(100, "x") })),
    });
    const stream = client.sotw();
    for (let index = 0; index < 200; index++)
      stream.send({ node: large, typeUrl: ENDPOINT_TYPE, resourceNames: [`e${index}`, "a"] });
    await stream.next();
    expect(reads).toBe(1);
  });

  it("xds C3: gives a client no nonce of its earlier stream, and streams that are told the same the same one", async () => {
    await start();
    const nodes = ["n1", "n2"];
    const seen = new Map(nodes.map((id) => [id, new Set<string>()]));
    const shared: string[][] = [];
    for (let round = 0; round < 3; round++) {
      const streams = nodes.map((id) => ({ id, stream: client.delta() }));
      for (const { id, stream } of streams) stream.send({ node: { id }, typeUrl: CLUSTER_TYPE });
      const take = async () =>
        Promise.all(
          streams.map(async ({ id, stream }) => {
            const { nonce } = await stream.next();
            expect(seen.get(id)?.has(nonce)).toBe(false);
            seen.get(id)?.add(nonce);
            stream.send({ typeUrl: CLUSTER_TYPE, responseNonce: nonce });
            return nonce;
          }),
        );
      await take();
      cache.update("g", (tx) => tx.set(bytes(CLUSTER_TYPE, "a", `round ${round}`)));
      shared.push(await take());
    }
    expect(shared.map((nonces) => new Set(nonces).size)).toEqual([1, 1, 1]);
  });

  it("xds C15: carries the type of the response in every resource", async () => {
    await start();
    const stream = client.delta();
    stream.send({ node, typeUrl: CLUSTER_TYPE });
    const response = await stream.next();
    expect(response.resources.map(({ resource }) => resource?.typeUrl)).toEqual([response.typeUrl]);
  });

  it("xds C17: requires a type on ADS, and tolerates one it does not know", async () => {
    await start();
    const untyped = client.delta();
    untyped.send({ node });
    expect((await untyped.end()).code).toBe(status.INVALID_ARGUMENT);
    const stream = client.delta();
    stream.send({ node, typeUrl: "type.googleapis.com/who.knows" });
    stream.send({ typeUrl: CLUSTER_TYPE });
    expect((await stream.next()).typeUrl).toBe(CLUSTER_TYPE);
    expect(server.clients()[0]?.unknownTypes).toEqual(["type.googleapis.com/who.knows"]);
  });

  it("xds R18: ignores fields that are not implemented anywhere", async () => {
    await start();
    const stream = client.delta();
    stream.send({ node, typeUrl: CLUSTER_TYPE, resourceLocatorsSubscribe: [{ name: "x" }] });
    expect((await stream.next()).resources).toHaveLength(1);
  });

  it("xds R20: offers no unary Fetch", async () => {
    await start();
    const path = "/envoy.service.cluster.v3.ClusterDiscoveryService/FetchClusters";
    expect(await client.unary(path)).toBe(status.UNIMPLEMENTED);
  });

  it("xds R21: ends with UNAVAILABLE when the server stops, so that clients come back", async () => {
    await start();
    const stream = client.delta();
    stream.send({ node, typeUrl: CLUSTER_TYPE });
    await stream.next();
    await server.stop({ graceMs: 500 });
    expect((await stream.end()).code).toBe(status.UNAVAILABLE);
  });

  it("identifies who answered", async () => {
    await start({ identifier: () => "replica-1 r7" });
    const stream = client.delta();
    stream.send({ node, typeUrl: CLUSTER_TYPE });
    const response = await stream.next();
    expect(response.controlPlane?.identifier).toBe("replica-1 r7");
    expect(response.systemVersionInfo).toBe("replica-1 r7");
  });
});

describe("the services per type", () => {
  it.each(DISCOVERY_METHODS.filter(({ typeUrl }) => typeUrl !== undefined))(
    "xds C16: $method answers",
    async ({ service, method, variant, typeUrl = "" }) => {
      cache.update("g", (tx) => tx.set(bytes(typeUrl, "one", "1")));
      await start();
      const path = `/${service}/${method}`;
      if (variant === "delta") {
        const stream = client.delta(path);
        stream.send({ node, resourceNamesSubscribe: ["one"] });
        expect((await stream.next()).resources.map(({ name }) => name)).toEqual(["one"]);
      } else {
        const stream = client.sotw(path);
        stream.send({ node, resourceNames: ["one"] });
        expect((await stream.next()).typeUrl).toBe(typeUrl);
      }
    },
  );

  it("refuse another type", async () => {
    await start();
    const stream = client.delta("/envoy.service.cluster.v3.ClusterDiscoveryService/DeltaClusters");
    stream.send({ node, typeUrl: ENDPOINT_TYPE });
    expect((await stream.end()).code).toBe(status.INVALID_ARGUMENT);
  });
});

describe("bad input", () => {
  it("a name of 10 kB is a name that does not exist", async () => {
    await start();
    const long = "n".repeat(10_000);
    const stream = client.delta();
    stream.send({ node, typeUrl: ROUTE_TYPE, resourceNamesSubscribe: [long] });
    expect((await stream.next()).removedResources.map((name) => name === long)).toEqual([true]);
    cache.update("g", (tx) => tx.set(bytes(ROUTE_TYPE, long, "1")));
    stream.send({ typeUrl: ROUTE_TYPE, responseNonce: stream.responses[0]?.nonce ?? "" });
    expect((await stream.next()).resources.map(({ name }) => name === long)).toEqual([true]);
  });

  it.each(["sotw", "delta"] as const)("a million names over %s are refused, and others are served", async (variant) => {
    await start();
    const names = Array.from({ length: 1_000_000 }, (_, index) => String(index));
    const stream = variant === "sotw" ? client.sotw() : client.delta();
    if (stream instanceof SotwStream) stream.send({ node, typeUrl: ENDPOINT_TYPE, resourceNames: names });
    else stream.send({ node, typeUrl: ENDPOINT_TYPE, resourceNamesSubscribe: names });
    expect((await stream.end()).code).toBe(status.RESOURCE_EXHAUSTED);
    const other = client.delta();
    other.send({ node, typeUrl: CLUSTER_TYPE });
    expect((await other.next()).resources).toHaveLength(1);
  });

  it.each([ENDPOINT_TYPE, ROUTE_TYPE])("many names of %s that do not exist are answered in parts", async (typeUrl) => {
    await start();
    const stream = client.delta();
    const names = Array.from({ length: 4500 }, (_, index) => `nobody-${index}`);
    stream.send({ node, typeUrl, resourceNamesSubscribe: names });
    const answered: string[][] = [];
    for (let part = 0; part < 3; part++) {
      const { resources, removedResources, nonce } = await stream.next();
      answered.push([...resources.map(({ name }) => name), ...removedResources]);
      expect(stream.responses).toHaveLength(part + 1);
      stream.send({ typeUrl, responseNonce: nonce });
    }
    expect(answered.map(({ length }) => length)).toEqual([2000, 2000, 500]);
    expect(answered.flat()).toEqual(names);
  });

  it("bytes that are no request end the stream that sent them", async () => {
    await start();
    const stream = client.delta();
    stream.call.write(Buffer.from([0x0a, 0xff, 0xff, 0xff]));
    expect((await stream.end()).code).toBe(status.INVALID_ARGUMENT);
  });

  it("a foreign nonce answers nothing", async () => {
    await start();
    const stream = client.delta();
    stream.send({ node, typeUrl: CLUSTER_TYPE });
    await stream.next();
    stream.send({ typeUrl: CLUSTER_TYPE, responseNonce: "foreign", errorDetail: { code: 13, message: "no" } });
    stream.send({ typeUrl: LISTENER_TYPE });
    await stream.next();
    expect(server.clients()[0]?.types[0]?.nacks).toBe(0);
  });

  it("a first message of 20 MB is taken", async () => {
    await start();
    const initial = Object.fromEntries(
      Array.from({ length: 50_000 }, (_, index) => [`e${index}`.padEnd(360, "x"), "1".repeat(40)]),
    );
    const stream = client.delta();
    stream.send({ node, typeUrl: ENDPOINT_TYPE, resourceNamesSubscribe: ["a"], initialResourceVersions: initial });
    expect((await stream.next()).resources).toHaveLength(1);
  });
});

describe("what is removed, over delta", () => {
  /** What Envoy is told: endpoints that never were are an empty set (xds R8). */
  const ROUTES_ONLY = ["never"];

  /** What a client is told of endpoints and routes that are removed, and of others that never were there. */
  async function told(userAgentName: string, method: "delta" | "sotw" = "delta"): Promise<string[]> {
    cache.update("g", (tx) => {
      for (const name of ["a", "b"]) {
        tx.set(bytes(ENDPOINT_TYPE, name, "1"));
        tx.set(bytes(ROUTE_TYPE, name, "1"));
      }
    });
    const removed: string[] = [];
    const stream = client[method]();
    for (const typeUrl of [ENDPOINT_TYPE, ROUTE_TYPE]) {
      const names = ["a", "b", "never"];
      const request = { node: { ...node, userAgentName }, typeUrl };
      if (stream instanceof SotwStream) stream.send({ ...request, resourceNames: names });
      else stream.send({ ...request, resourceNamesSubscribe: names });
      let response = await stream.next();
      cache.update("g", (tx) => {
        tx.delete(typeUrl, "a");
        tx.set(bytes(typeUrl, "b", "2"));
      });
      if ("removedResources" in response) removed.push(...response.removedResources);
      if (stream instanceof SotwStream) stream.send({ typeUrl, responseNonce: response.nonce, resourceNames: names });
      else stream.send({ typeUrl, responseNonce: response.nonce });
      response = await stream.next();
      if ("removedResources" in response) removed.push(...response.removedResources);
    }
    return removed;
  }

  it.each(["gRPC Go", "grpc-rust", "my-client", "Envoy Gateway"])("xds R28: is told to %s", async (userAgentName) => {
    await start();
    expect(await told(userAgentName)).toEqual(["never", "a", "never", "a"]);
  });

  it.each(["envoy", ""])(
    "xds R7, R28: is not told to Envoy, and who says nothing counts as Envoy: %j",
    async (name) => {
      await start();
      expect(await told(name)).toEqual(ROUTES_ONLY);
    },
  );

  it("xds R28: is told to those that the caller names, by what the node says, asked once for each stream", async () => {
    const asked: string[] = [];
    await start({
      tellsRemovals: ({ id, userAgentName }) => {
        asked.push(id);
        return userAgentName === "envoy";
      },
    });
    expect(await told("envoy")).toEqual(["never", "a", "never", "a"]);
    expect(await told("gRPC Go")).toEqual(ROUTES_ONLY);
    expect(asked).toEqual(["n1", "n1"]);
  });

  it("xds R28: is never told over SotW, and nobody is asked", async () => {
    await start({
      tellsRemovals: () => {
        throw new Error("asked");
      },
    });
    expect(await told("gRPC Go", "sotw")).toEqual([]);
  });

  it("a function that throws ends the stream that it was asked about, and no other", async () => {
    await start({
      tellsRemovals: ({ cluster }) => {
        if (cluster === "bad") throw new Error("no");
        return true;
      },
    });
    const good = client.delta();
    good.send({ node, typeUrl: CLUSTER_TYPE });
    expect((await good.next()).resources).toHaveLength(1);
    const bad = client.delta();
    bad.send({ node: { ...node, cluster: "bad" }, typeUrl: CLUSTER_TYPE });
    expect((await bad.end()).code).toBe(status.INTERNAL);
    cache.update("g", (tx) => tx.set(bytes(CLUSTER_TYPE, "b", "1")));
    good.send({ typeUrl: CLUSTER_TYPE, responseNonce: good.responses[0]?.nonce ?? "" });
    expect((await good.next()).resources.map(({ name }) => name)).toEqual(["b"]);
  });
});

describe("groups", () => {
  it("keep a stream silent for a reason, and serve it when it belongs somewhere", async () => {
    let placement: { silent: string } | { group: string } = { silent: "no fleet" };
    await start({ groupOf: () => placement });
    const stream = client.delta();
    stream.send({ node, typeUrl: CLUSTER_TYPE });
    await eventually(
      () => server.clients()[0]?.silent,
      (reason) => reason === "no fleet",
      { what: "the reason is shown" },
    );
    expect(stream.responses).toEqual([]);
    placement = { group: "g" };
    server.regroup();
    expect((await stream.next()).resources).toHaveLength(1);
    cache.removeGroup("g");
    cache.update("h", (tx) => tx.set(bytes(CLUSTER_TYPE, "h", "1")));
    expect(server.clients()[0]?.silent).toBe("group_without_content");
  });

  it("tell since when a stream is silent: since it ceased to be served, whatever the reason is by now", async () => {
    let placement: { silent: string } | { group: string } = { group: "g" };
    const clock = new FakeClock();
    const begun = clock.now() + 60_000;
    await start({ groupOf: () => placement, clock });
    const stream = client.delta();
    stream.send({ node, typeUrl: CLUSTER_TYPE });
    await stream.next();
    const silence = () => server.clients().map(({ silent, silentSince }) => [silent, silentSince])[0];
    expect(silence()).toEqual([undefined, undefined]);
    for (const reason of ["no fleet", "two fleets"]) {
      await clock.advance(60_000);
      placement = { silent: reason };
      server.regroup();
      expect(silence()).toEqual([reason, begun]);
    }
    placement = { group: "g" };
    server.regroup();
    expect(silence()).toEqual([undefined, undefined]);
  });

  it("tell a stream that leaves one nothing of what was published there just before", async () => {
    let group = "g";
    await start({ groupOf: () => group });
    cache.update("h", (tx) => tx.set(bytes(CLUSTER_TYPE, "h", "1")));
    const stream = client.delta();
    stream.send({ node, typeUrl: CLUSTER_TYPE });
    stream.send({ typeUrl: CLUSTER_TYPE, responseNonce: (await stream.next()).nonce });
    cache.update("g", (tx) => tx.set(bytes(CLUSTER_TYPE, "b", "1")));
    group = "h";
    server.regroup();
    const { resources, removedResources } = await stream.next();
    expect(resources.map(({ name }) => name)).toEqual(["h"]);
    expect(removedResources).toEqual(["a"]);
    cache.update("g", (tx) => tx.set(bytes(CLUSTER_TYPE, "c", "1")));
    cache.update("h", (tx) => tx.set(bytes(CLUSTER_TYPE, "d", "1")));
    stream.send({ typeUrl: CLUSTER_TYPE, responseNonce: stream.responses[1]?.nonce ?? "" });
    expect((await stream.next()).resources.map(({ name }) => name)).toEqual(["d"]);
  });

  it("refuse a stream before its first byte", async () => {
    await start({ groupOf: () => ({ refuse: "not yours" }) });
    const stream = client.delta();
    stream.send({ node, typeUrl: CLUSTER_TYPE });
    expect(await stream.end()).toMatchObject({ code: status.PERMISSION_DENIED });
    expect(stream.responses).toEqual([]);
  });

  it("xds P9: a node id on a second stream is shown on both, and both are served", async () => {
    await start();
    const streams = [client.delta(), client.delta()];
    for (const stream of streams) stream.send({ node, typeUrl: CLUSTER_TYPE });
    for (const stream of streams) expect((await stream.next()).resources).toHaveLength(1);
    expect(server.clients().map(({ duplicate }) => duplicate)).toEqual([true, true]);
  });
});

describe("a server that is not to be used just now", () => {
  it("sends new clients elsewhere and keeps those that it has", async () => {
    let reason: string | undefined;
    await start({ admit: () => reason });
    const early = client.delta();
    early.send({ node, typeUrl: CLUSTER_TYPE });
    await early.next();
    reason = "state_differs";
    const late = client.delta();
    late.send({ node: { ...node, id: "n2" }, typeUrl: CLUSTER_TYPE });
    expect(await late.end()).toEqual({ code: status.UNAVAILABLE, details: "state_differs" });
    server.regroup();
    cache.update("g", (tx) => tx.set(bytes(CLUSTER_TYPE, "b", "1")));
    expect((await early.next()).resources.map(({ name }) => name)).toEqual(["b"]);
  });

  it("sheds the clients that it has, each at its own moment", async () => {
    await start();
    const streams = ["n1", "n2", "n3"].map((id) => {
      const stream = client.delta();
      stream.send({ node: { ...node, id }, typeUrl: CLUSTER_TYPE });
      return stream;
    });
    for (const stream of streams) await stream.next();
    server.shed({ overMs: 50, reason: "another replica has newer state" });
    for (const stream of streams) {
      expect(await stream.end()).toEqual({ code: status.UNAVAILABLE, details: "another replica has newer state" });
    }
  });
});

describe("the fence", () => {
  it("is awaited before the first answer", async () => {
    const gate = Promise.withResolvers<void>();
    await start({ fence: () => gate.promise });
    const stream = client.delta();
    stream.send({ node, typeUrl: CLUSTER_TYPE });
    await eventually(
      () => server.clients().length,
      (length) => length === 1,
      { what: "the stream is known" },
    );
    expect(stream.responses).toEqual([]);
    gate.resolve();
    expect((await stream.next()).resources).toHaveLength(1);
  });

  it("that fails lets through only what cannot take a client back", async () => {
    let reachable = false;
    await start({ fence: () => (reachable ? Promise.resolve() : Promise.reject(new Error("away"))) });
    cache.update("g", (tx) => tx.set(bytes(CLUSTER_TYPE, "b", "1")));
    const stream = client.delta();
    stream.send({ node, typeUrl: CLUSTER_TYPE, initialResourceVersions: { a: "other", gone: "1" } });
    expect((await stream.next()).resources.map(({ name }) => name)).toEqual(["b"]);
    const held = server.clients()[0]?.types[0]?.resources.filter((resource) => resource.held === "store_unreachable");
    expect(held?.map(({ name }) => name).toSorted()).toEqual(["a", "gone"]);
    reachable = true;
    stream.send({ typeUrl: CLUSTER_TYPE, responseNonce: stream.responses[0]?.nonce ?? "" });
    server.recheckHolds();
    const response = await stream.next();
    expect(response.resources.map(({ name }) => name)).toEqual(["a"]);
  });

  it("that failed and is tried again leaves what it held to be seen, and lets the rest through meanwhile", async () => {
    const gate = Promise.withResolvers<void>();
    let attempts = 0;
    await start({ fence: () => (attempts++ === 0 ? Promise.reject(new Error("away")) : gate.promise) });
    const stream = client.delta();
    stream.send({ node, typeUrl: CLUSTER_TYPE, initialResourceVersions: { a: "other" } });
    const held = () => server.clients()[0]?.types[0]?.resources.map((resource) => resource.held);
    await eventually(held, (reasons) => reasons?.join() === "store_unreachable", { what: "it is held" });
    server.recheckHolds();
    cache.update("g", (tx) => tx.set(bytes(CLUSTER_TYPE, "b", "1")));
    expect((await stream.next()).resources.map(({ name }) => name)).toEqual(["b"]);
    expect(held()).toContain("store_unreachable");
    stream.send({ typeUrl: CLUSTER_TYPE, responseNonce: stream.responses[0]?.nonce ?? "" });
    gate.resolve();
    expect((await stream.next()).resources.map(({ name }) => name)).toEqual(["a"]);
  });

  it("that fails holds back the members of a collection, since who asks for it does not say what it holds", async () => {
    let reachable = false;
    await start({ fence: () => (reachable ? Promise.resolve() : Promise.reject(new Error("away"))) });
    cache.update("g", (tx) => tx.set(bytes(LEDS_TYPE, "xdstp://cp/t/shop/1/a", "1")));
    const stream = client.delta();
    stream.send({ node, typeUrl: LEDS_TYPE, resourceNamesSubscribe: ["xdstp://cp/t/shop/1/*"] });
    await eventually(
      () => server.clients()[0]?.types[0]?.resources.map(({ held }) => held),
      (held) => held?.join() === "store_unreachable",
      { what: "the member is held" },
    );
    expect(stream.responses).toEqual([]);
    reachable = true;
    server.recheckHolds();
    expect((await stream.next()).resources.map(({ name }) => name)).toEqual(["xdstp://cp/t/shop/1/a"]);
  });
});

describe("flow", () => {
  it("an update counts as pending at once, and several of one turn leave as one response", async () => {
    await start();
    const stream = client.delta();
    stream.send({ node, typeUrl: CLUSTER_TYPE });
    stream.send({ typeUrl: CLUSTER_TYPE, responseNonce: (await stream.next()).nonce });
    const streamId = server.clients()[0]?.streamId ?? "";
    const pending = () => server.oldestPending(streamId);
    const settled = () => eventually(pending, (oldest) => oldest === undefined, { what: "all is acknowledged" });
    await settled();
    const first = cache.update("g", (tx) => tx.set(bytes(CLUSTER_TYPE, "a", "2")));
    cache.update("g", (tx) => tx.set(bytes(CLUSTER_TYPE, "b", "1")));
    expect(pending()).toBe(first);
    cache.update("g", (tx) => tx.set(bytes(CLUSTER_TYPE, "c", "1")));
    const { resources, nonce } = await stream.next();
    expect(resources.map(({ name }) => name).sort()).toEqual(["a", "b", "c"]);
    stream.send({ typeUrl: CLUSTER_TYPE, responseNonce: nonce });
    await settled();
  });

  it("xds R14: a client that does not read costs bounded memory, delays nobody, and gets the latest state", async () => {
    const body = "x".repeat(1_000_000);
    await start();
    const slow = client.sotw();
    slow.call.pause();
    slow.send({ node: { id: "slow" }, typeUrl: ENDPOINT_TYPE, resourceNames: ["a"] });
    const quick = client.delta();
    quick.send({ node, typeUrl: ENDPOINT_TYPE, resourceNamesSubscribe: ["a"] });
    let { nonce } = await quick.next();
    for (let round = 0; round < 30; round++) {
      cache.update("g", (tx) => tx.set(bytes(ENDPOINT_TYPE, "a", `${round}${body}`)));
      quick.send({ typeUrl: ENDPOINT_TYPE, responseNonce: nonce });
      ({ nonce } = await quick.next());
    }
    const stuck = server.clients().find((each) => each.node.id === "slow");
    expect(stuck?.types[0]?.inFlight).toHaveLength(1);
    slow.call.resume();
    const first = await slow.next();
    slow.send({
      typeUrl: ENDPOINT_TYPE,
      resourceNames: ["a"],
      responseNonce: first.nonce,
      versionInfo: first.versionInfo,
    });
    const second = await slow.next();
    expect(
      Buffer.from(second.resources[0]?.value ?? [])
        .subarray(0, 2)
        .toString(),
    ).toBe("29");
  });

  it("a gRPC client never gets more than 4 MiB in one response", async () => {
    const body = "x".repeat(1_500_000);
    cache.update("g", (tx) => {
      for (let index = 0; index < 5; index++) tx.set(bytes(ENDPOINT_TYPE, `e${index}`, body));
      tx.set(bytes(ENDPOINT_TYPE, "huge", "x".repeat(5_000_000)));
    });
    await start();
    const stream = client.sotw();
    const resourceNames = ["e0", "e1", "e2", "e3", "e4", "huge"];
    stream.send({ node: { ...node, userAgentName: "gRPC Go" }, typeUrl: ENDPOINT_TYPE, resourceNames });
    const seen = [];
    while (seen.length < 5) {
      const response = await stream.next();
      const size = response.resources.reduce((sum, { value }) => sum + value.length, 0);
      expect(size).toBeLessThan(4 * 1024 * 1024);
      seen.push(...response.resources);
      stream.send({
        typeUrl: ENDPOINT_TYPE,
        resourceNames,
        responseNonce: response.nonce,
        versionInfo: response.versionInfo,
      });
    }
    const huge = server.clients()[0]?.types[0]?.resources.find(({ name }) => name === "huge");
    expect(huge?.held).toBe("response_too_large");
  });
});
