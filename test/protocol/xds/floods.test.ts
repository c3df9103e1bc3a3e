import { fork } from "node:child_process";
import { join } from "node:path";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { DeltaDiscoveryRequestSchema } from "../../../src/gen/envoy/service/discovery/v3/discovery_pb.ts";
import { CLUSTER_TYPE, ENDPOINT_TYPE, ROUTE_TYPE, type XdsLimits } from "../../../src/xds/server/library.ts";
import { eventually } from "../../support/eventually.ts";
import type { Told } from "./flooded-server.ts";
import { Http2Client, type Http2Stream } from "./http2-client.ts";

const MB = 1_000_000;
/** What nobody may be held up for; of the processor's time, since others use this machine, too. */
const LONGEST_TURN_MS = 200;

const request = (init: MessageInitShape<typeof DeltaDiscoveryRequestSchema>) =>
  toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, init));
const namesOf = (count: number, length: number) =>
  Array.from({ length: count }, (_, index) => `n${index}-`.padEnd(length, "x"));

describe("a flood costs the server a bounded amount, and its other clients nothing", () => {
  it("of node ids of a megabyte", async () => {
    await using server = await flooded();
    using client = new Http2Client(server.address);
    for (let index = 0; index < 50; index++) {
      const stream = client.open();
      stream.write(request({ node: { id: `n${index}`.padEnd(MB, "x") }, typeUrl: CLUSTER_TYPE }));
      expect(await stream.end()).toEqual({
        code: status.RESOURCE_EXHAUSTED,
        details: "node.id has 1,000,000 bytes; at most 1,024 (XdsLimits.maxNodeTextBytes)",
      });
    }
    await server.isUnharmed();
  });

  it("of streams that ask for long names and close", async () => {
    await using server = await flooded();
    for (let index = 0; index < 20; index++) {
      using client = new Http2Client(server.address);
      const stream = client.open();
      const names = namesOf(300, 10_000);
      stream.write(request({ node: { id: `n${index}` }, typeUrl: ROUTE_TYPE, resourceNamesSubscribe: names }));
      await isAnswered(stream);
      expect(stream.ended).toBeUndefined();
    }
    await server.isUnharmed();
  });

  it("of requests that never arrive whole", async () => {
    const requestMs = 3000;
    await using server = await flooded({ maxHeldBytes: 40 * MB, maxHeldBytesPerConnection: 20 * MB, requestMs });
    const clients = Array.from({ length: 10 }, () => new Http2Client(server.address));
    const streams = clients.map((client) => client.open());
    for (const stream of streams) stream.write(Buffer.alloc(8 * MB), 30 * MB);
    const ends = await Promise.all(streams.map((stream) => stream.end()));
    const reasons = new Set(ends.map(({ details }) => /\(XdsLimits\.(\w+)\)$/.exec(details)?.[1]));
    expect(reasons).toEqual(new Set(["maxHeldBytes", "requestMs"]));
    expect((await server.ask()).peakBytes).toBeLessThan(200 * MB);
    for (const client of clients) client.session.destroy();
    await server.isUnharmed();
  });

  it.each([
    ["names that do not exist", 50_000, CLUSTER_TYPE, ENDPOINT_TYPE],
    ["endpoint sets that do not exist, where an empty one is the answer", 50_000, ENDPOINT_TYPE, ENDPOINT_TYPE],
    ["more names than are allowed", 200_000, CLUSTER_TYPE, CLUSTER_TYPE],
  ])("of %s", async (_, count, first, typeUrl) => {
    await using server = await flooded();
    using client = new Http2Client(server.address);
    const stream = client.open();
    const resourceNamesSubscribe = first === typeUrl ? ["nobody"] : [];
    stream.write(request({ node: { id: "n1" }, typeUrl: first, resourceNamesSubscribe }));
    await isAnswered(stream);
    await server.ask();
    const { received } = stream;
    stream.write(request({ typeUrl, responseNonce: stream.nonce, resourceNamesSubscribe: namesOf(count, 12) }));
    await server.isOpenToOthers();
    await eventually(
      () => stream.received > received || stream.ended !== undefined,
      (isOver) => isOver,
      { what: "the flood is over", timeoutMs: 20_000 },
    );
    if (count > 50_000) {
      expect((await stream.end()).details).toBe(
        "the request names 50,001 or more resources; at most 50,000 (XdsLimits.maxNames)",
      );
    }
    expect((await server.ask()).longestTurnMs).toBeLessThan(LONGEST_TURN_MS);
    const errorDetail = { code: status.INTERNAL, message: "n".repeat(100_000) };
    stream.write(request({ typeUrl, responseNonce: stream.nonce, errorDetail }));
    await server.isOpenToOthers();
    expect((await server.ask()).longestTurnMs).toBeLessThan(LONGEST_TURN_MS);
    client.session.destroy();
    await server.isUnharmed();
  });

  it("of small requests that each ask for much", async () => {
    await using server = await flooded();
    using client = new Http2Client(server.address);
    const stream = client.open();
    stream.write(request({ node: { id: "n1" }, typeUrl: CLUSTER_TYPE }));
    await isAnswered(stream);
    await server.ask();
    for (let index = 0; index < 1000; index++) {
      stream.write(request({ typeUrl: CLUSTER_TYPE, resourceNamesUnsubscribe: ["*"] }));
      stream.write(request({ typeUrl: CLUSTER_TYPE, resourceNamesSubscribe: ["*"] }));
    }
    await server.isOpenToOthers();
    expect((await server.ask()).longestTurnMs).toBeLessThan(LONGEST_TURN_MS);
    client.session.destroy();
    await server.isUnharmed();
  });

  it("of clients that each want something else and do not read it", async () => {
    await using server = await flooded({ maxHeldBytes: 10 * MB });
    using client = new Http2Client(server.address);
    const names = Array.from({ length: 500 }, (_, index) => `c${index}`);
    for (const left of names.slice(0, 200)) {
      const stream = client.open();
      stream.stream.pause();
      const wanted = names.filter((name) => name !== left);
      stream.write(request({ node: { id: left }, typeUrl: ENDPOINT_TYPE, resourceNamesSubscribe: wanted }));
    }
    await new Promise((resolve) => client.session.ping(resolve));
    await server.isOpenToOthers();
    const { bytes, clients } = await server.ask();
    // All of them would hold 50 MB.
    expect(clients).toBeLessThan(150);
    expect(bytes - server.atFirst).toBeLessThan(40 * MB);
    client.session.destroy();
    await server.isUnharmed();
  });
});

async function isAnswered(stream: Http2Stream): Promise<void> {
  await eventually(
    () => stream.received,
    (received) => received > 0,
    { what: "the stream is answered", timeoutMs: 20_000 },
  );
}

/** A server in a process of its own, which a client was served by before any flood. */
async function flooded(limits: Partial<XdsLimits> = {}) {
  const child = fork(join(import.meta.dirname, "flooded-server.ts"), [JSON.stringify(limits)]);
  const next = <T>() => new Promise<T>((resolve) => child.once("message", (message) => resolve(message as T)));
  const address = await next<string>();
  const ask = () => {
    child.send("tell");
    return next<Told>();
  };
  const isOpenToOthers = async () => {
    using other = new Http2Client(address);
    const stream = other.open();
    stream.write(request({ node: { id: "other" }, typeUrl: CLUSTER_TYPE }));
    await isAnswered(stream);
  };
  await isOpenToOthers();
  const { bytes: atFirst } = await ask();
  return {
    address,
    atFirst,
    ask,
    isOpenToOthers,
    isUnharmed: async () => {
      await isOpenToOthers();
      await eventually(
        async () => await ask(),
        ({ bytes, clients }) => clients === 0 && bytes < atFirst + 20 * MB,
        { what: "all clients are gone, and memory is what it was", timeoutMs: 20_000 },
      );
      expect(child.exitCode).toBeNull();
    },
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
    },
  };
}
