import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { waitOrder } from "../../../src/api/wait-message.ts";
import { sinkInto } from "../../../src/app/resource-sink.ts";
import { reportProxies, serveProxies } from "../../../src/app/serve-proxies.ts";
import { fleetOf } from "../../../src/control/proxy-group.ts";
import { Publisher } from "../../../src/control/publisher.ts";
import { LocalNodeDirectory } from "../../../src/fleet/local-node-directory.ts";
import { SharedNodeDirectory } from "../../../src/fleet/shared-node-directory.ts";
import { StoredRefusals } from "../../../src/fleet/stored-refusals.ts";
import { FleetSchema } from "../../../src/gen/fairlead/admin/v1/fleet_pb.ts";
import { ListenerSchema } from "../../../src/gen/fairlead/admin/v1/listener_pb.ts";
import { WaitForRevisionRequestSchema } from "../../../src/gen/fairlead/admin/v1/observe_pb.ts";
import { createObject } from "../../../src/operations/objects/create-object.ts";
import { type WaitStep, waitForRevision } from "../../../src/operations/observing/wait-for-revision.ts";
import { silentLogger } from "../../../src/runtime/logger.ts";
import { createMetrics } from "../../../src/runtime/metrics.ts";
import { noPeers } from "../../../src/store/peers.ts";
import { LISTENER_TYPE, ResourceCache } from "../../../src/xds/server/library.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { openPlaneContext, TESTER, testContainment } from "../../support/plane-context.ts";
import { RawClient } from "./raw-client.ts";

/** The way from a commit to a proxy's acknowledgement and back to a wait, where time passes only when the test says so. */
async function startProxies() {
  const plane = await openPlaneContext();
  const { mirror, store, random } = plane;
  const clock = new FakeClock();
  const cache = new ResourceCache();
  const sink = sinkInto(cache);
  const metrics = createMetrics();
  const server = serveProxies({
    cache,
    mirror,
    refusals: new StoredRefusals({ store, clock, log: silentLogger, replica: "a" }),
    metrics,
    clock,
    random,
    log: silentLogger,
    fence: () => Promise.resolve(),
    identifier: () => "a",
    hold: () => undefined,
    admit: () => undefined,
    containment: testContainment(),
    maxConnections: 10,
  });
  const publisher = new Publisher({
    mirror,
    sink,
    clock,
    onFleetsChanged: () => server.regroup(),
    onPublished: () => {},
  });
  const local = new LocalNodeDirectory({
    streams: () => server,
    publications: publisher.log,
    clock,
    replica: "a",
    fleetOf,
    objectsOf: () => [],
    onSettled: () => {},
  });
  reportProxies(server, cache, { nodes: local, metrics });
  const stopPublishing = publisher.start();
  const nodes = new SharedNodeDirectory({ local, peers: noPeers, clock });
  return {
    clock,
    address: await server.listen("127.0.0.1:0"),
    connected: async () => (await nodes.nodes()).told.filter(({ connected }) => connected).length,
    addFleet: (name: string) =>
      createObject(plane, TESTER, { kind: "fleet", message: create(FleetSchema, { name }), options: undefined }),
    addListener: (name: string, fleet: string, port: number) =>
      createObject(plane, TESTER, {
        kind: "listener",
        message: create(ListenerSchema, { name, fleet, address: `127.0.0.1:${port}` }),
        options: undefined,
      }),
    /** Where a wait stands that has a moment. */
    async wait(revision: string) {
      const request = create(WaitForRevisionRequestSchema, { revision, timeout: { nanos: 20_000_000 } });
      let last: Pick<WaitStep, "outcome" | "done" | "total"> | undefined;
      for await (const answer of waitForRevision({ ...plane, nodes }, TESTER, waitOrder(request))) last = answer;
      return last && { outcome: last.outcome, done: last.done, total: last.total };
    },
    async [Symbol.asyncDispose]() {
      stopPublishing();
      await server.stop({ graceMs: 0 });
      await plane.close();
    },
  };
}

test("a proxy that is away holds up only what has been due to it since what it acknowledged", async () => {
  await using plane = await startProxies();
  await plane.addFleet("edge");
  await plane.addFleet("other");
  await plane.addListener("web", "edge", 10_000);
  using client = new RawClient(plane.address);
  const stream = client.delta();
  stream.send({ node: { id: "edge-1", cluster: "edge" }, typeUrl: LISTENER_TYPE });
  stream.send({ typeUrl: LISTENER_TYPE, responseNonce: (await stream.next()).nonce });
  // As long as a proxy may take to ask for all types.
  await plane.clock.advance(6000);
  const first = await plane.addListener("admin", "edge", 10_001);
  const { nonce } = await stream.next();
  expect(await plane.wait(first.revision)).toEqual({ outcome: "timedOut", done: 0, total: 1 });
  stream.send({ typeUrl: LISTENER_TYPE, responseNonce: nonce });
  await eventually(
    () => plane.wait(first.revision),
    (wait) => wait?.outcome === "reached",
    {
      what: "the proxy acknowledges",
    },
  );
  stream.call.cancel();
  await eventually(plane.connected, (count) => count === 0, { what: "the proxy is away" });

  const elsewhere = await plane.addListener("else", "other", 10_002);
  expect(await plane.wait(elsewhere.revision)).toEqual({ outcome: "reached", done: 1, total: 1 });
  const due = await plane.addListener("more", "edge", 10_003);
  expect(await plane.wait(due.revision)).toEqual({ outcome: "timedOut", done: 0, total: 1 });
  expect(await plane.wait(elsewhere.revision)).toEqual({ outcome: "reached", done: 1, total: 1 });
});

test("a proxy that left with a refusal has not acknowledged it", async () => {
  await using plane = await startProxies();
  await plane.addFleet("edge");
  using client = new RawClient(plane.address);
  const stream = client.delta();
  stream.send({ node: { id: "edge-1", cluster: "edge" }, typeUrl: LISTENER_TYPE });
  stream.send({ typeUrl: LISTENER_TYPE, responseNonce: (await stream.next()).nonce });
  await plane.clock.advance(6000);
  const { revision } = await plane.addListener("web", "edge", 10_000);
  const errorDetail = { code: 13, message: "cannot bind" };
  stream.send({ typeUrl: LISTENER_TYPE, responseNonce: (await stream.next()).nonce, errorDetail });
  await eventually(
    () => plane.wait(revision),
    (wait) => wait?.outcome === "refused",
    {
      what: "the refusal is known",
    },
  );
  stream.call.cancel();
  await eventually(plane.connected, (count) => count === 0, { what: "the proxy is away" });
  expect(await plane.wait(revision)).toEqual({ outcome: "timedOut", done: 0, total: 1 });
});
