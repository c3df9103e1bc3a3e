import { create } from "@bufbuild/protobuf";
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
import { RouteSchema } from "../../../src/gen/fairlead/admin/v1/route_pb.ts";
import { ServiceSchema } from "../../../src/gen/fairlead/admin/v1/service_pb.ts";
import { createObject } from "../../../src/operations/objects/create-object.ts";
import { deleteObject } from "../../../src/operations/objects/delete-object.ts";
import { type WaitStep, waitForRevision } from "../../../src/operations/observing/wait-for-revision.ts";
import { silentLogger } from "../../../src/runtime/logger.ts";
import { createMetrics } from "../../../src/runtime/metrics.ts";
import { noPeers } from "../../../src/store/peers.ts";
import { ResourceCache } from "../../../src/xds/server/library.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { openPlaneContext, TESTER, testContainment } from "../../support/plane-context.ts";

/** The way from a commit to a proxy's acknowledgement and back to a wait, where time passes only when the test says so. */
export async function startProxies() {
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
    addService: (name: string) =>
      createObject(plane, TESTER, { kind: "service", message: create(ServiceSchema, { name }), options: undefined }),
    addRoute: (service: string, listener: string) => {
      const rules = [{ to: [{ service }] }];
      const message = create(RouteSchema, {
        name: service,
        listeners: [listener],
        hosts: [`${service}.example`],
        rules,
      });
      return createObject(plane, TESTER, { kind: "route", message, options: undefined });
    },
    deleteService: (name: string) => {
      const deletion = { name, expectedVersion: "", force: true, withBackends: false, options: undefined };
      return deleteObject(plane, TESTER, "service", deletion);
    },
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
