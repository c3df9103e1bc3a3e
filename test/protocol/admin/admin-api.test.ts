import { ServerCredentials, status } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AdminServer, createAdminServer } from "../../../src/admin/admin-server.ts";
import { Change_Action as Action } from "../../../src/gen/fairlead/admin/v1/apply_pb.ts";
import { Backend_State, Health_Status } from "../../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { silentLogger } from "../../../src/runtime/logger.ts";
import { ADMIN, errorOf, TestClient } from "../../support/admin-client.ts";
import { openPlaneContext, type PlaneContext, testContainment } from "../../support/plane-context.ts";

let plane: PlaneContext;
let server: AdminServer;
let client: TestClient;

beforeAll(async () => {
  plane = await openPlaneContext();
  server = createAdminServer({
    context: plane,
    logger: silentLogger,
    notReady: () => undefined,
    containment: testContainment(),
  });
  client = new TestClient(await server.listen("127.0.0.1:0", ServerCredentials.createInsecure()));
});

afterAll(async () => {
  client.close();
  await server.stop(1000);
  await plane.close();
});

test("an object lives from create to delete", async () => {
  const created = await client.call(ADMIN.createService, { service: { name: "life" } });
  expect(created.service?.meta).toMatchObject({ generation: 1n, version: created.revision });
  const updated = await client.call(ADMIN.updateService, {
    service: { name: "life", drainTime: { seconds: 5n } },
    expectedVersion: created.revision,
  });
  expect(updated.service?.meta?.generation).toBe(2n);
  expect(await client.call(ADMIN.getService, { name: "services/life" })).toMatchObject({
    drainTime: { seconds: 5n },
    meta: { uid: created.service?.meta?.uid, version: updated.revision },
    status: { backends: 0 },
  });
  await client.call(ADMIN.deleteService, { name: "life" });
  expect(await errorOf(client.call(ADMIN.getService, { name: "life" }))).toMatchObject({
    code: status.NOT_FOUND,
    reason: "SERVICE_NOT_FOUND",
  });
});

test("a backend is registered, drained, put back and unregistered", async () => {
  await client.call(ADMIN.createService, { service: { name: "pool" } });
  const target = { case: "address", value: "127.0.0.1:9001" } as const;
  await client.call(ADMIN.registerBackend, { backend: { name: "pool/a", target } });
  await expect(client.call(ADMIN.drainBackend, { name: "pool/a" })).rejects.toThrow("allow removal");
  const drained = await client.call(ADMIN.drainBackend, { name: "pool/a", allowRemoval: true });
  expect(drained.backend).toMatchObject({ state: Backend_State.DRAINING, meta: { generation: 2n } });
  expect(await client.call(ADMIN.getBackend, { name: "pool/a" })).toMatchObject({
    status: { eligible: false, reason: "draining" },
  });
  const back = await client.call(ADMIN.drainBackend, { name: "pool/a", undo: true });
  expect(back.backend).toMatchObject({ state: Backend_State.ACTIVE });
  expect(back.backend?.drainTime).toBeUndefined();
  await client.call(ADMIN.unregisterBackend, { name: "pool/a", allowRemoval: true });
  expect((await client.call(ADMIN.listBackends, { service: "pool" })).backends).toEqual([]);
});

test("every kind is created, read and listed", async () => {
  await client.call(ADMIN.createFleet, { fleet: { name: "kinds" } });
  await client.call(ADMIN.createService, { service: { name: "kinds" } });
  await client.call(ADMIN.putPolicy, { policy: { name: "kinds", panicThreshold: 5 } });
  await client.call(ADMIN.createListener, { listener: { name: "kinds", fleet: "kinds", address: "0.0.0.0:1234" } });
  await client.call(ADMIN.createRoute, {
    route: { name: "kinds", listeners: ["kinds"], hosts: ["*"], rules: [{ to: [{ service: "kinds" }] }] },
  });
  const target = { case: "address", value: "127.0.0.1:9001" } as const;
  await client.call(ADMIN.registerBackend, { backend: { name: "kinds/a", target } });
  await client.call(ADMIN.reportHealth, {
    health: { backend: "kinds/a", source: "reporter:x", status: Health_Status.HEALTHY },
  });
  const name = "kinds";
  expect((await client.call(ADMIN.getFleet, { name })).name).toBe(name);
  expect((await client.call(ADMIN.getPolicy, { name })).panicThreshold).toBe(5);
  expect((await client.call(ADMIN.getListener, { name })).conditions).toEqual([]);
  expect((await client.call(ADMIN.getRoute, { name })).conditions).toEqual([]);
  expect((await client.call(ADMIN.getService, { name })).status).toMatchObject({ backends: 1, eligible: 1 });
  expect((await client.call(ADMIN.listFleets, {})).fleets.map((fleet) => fleet.name)).toContain(name);
  expect((await client.call(ADMIN.listPolicies, {})).policies.map((policy) => policy.name)).toContain(name);
  expect((await client.call(ADMIN.listListeners, {})).listeners.map((listener) => listener.name)).toContain(name);
  expect((await client.call(ADMIN.listRoutes, {})).routes.map((route) => route.name)).toContain(name);
  expect((await client.call(ADMIN.listHealth, { service: name })).health).toMatchObject([{ backend: "kinds/a" }]);
  expect((await client.call(ADMIN.getStatus, {})).services).toBeGreaterThan(0);
});

test("lists come page by page, and by label", async () => {
  const names = ["page-a", "page-b", "page-c"];
  for (const name of names) await client.call(ADMIN.createFleet, { fleet: { name, labels: { paged: "yes" } } });
  const request = { labels: { paged: "yes" }, pageSize: 2 };
  const first = await client.call(ADMIN.listFleets, request);
  const second = await client.call(ADMIN.listFleets, { ...request, pageToken: first.nextPageToken });
  expect([...first.fleets, ...second.fleets].map(({ name }) => name)).toEqual(names);
  expect(second.nextPageToken).toBe("");
});

test("who asks is taken from the call", async () => {
  const service = { name: "asked" };
  await client.call(ADMIN.createService, { service }, { "x-fairlead-actor": "cli:bob" });
  expect(await plane.journal.list({ limit: 1 })).toMatchObject([{ actor: "cli:bob" }]);
  await client.call(ADMIN.deleteService, service);
  expect(await plane.journal.list({ limit: 1 })).toMatchObject([{ actor: "peer:127.0.0.1" }]);
});

test("a request id is one request of one caller: a retry gets its answer, anything else an error, or is another request", async () => {
  const create = (name: string, labels: Record<string, string>, actor: string) =>
    client.call(
      ADMIN.createService,
      { service: { name, labels }, options: { requestId: "deploy-1" } },
      { "x-fairlead-actor": actor },
    );
  const first = await create("once", { a: "1", b: "2" }, "ci:one");
  expect((await create("once", { b: "2", a: "1" }, "ci:one")).revision).toBe(first.revision);
  const reused = await errorOf(create("once", { a: "2", b: "2" }, "ci:one"));
  expect(reused).toMatchObject({ code: status.INVALID_ARGUMENT, reason: "REQUEST_ID_REUSED" });
  expect((await errorOf(create("twice", {}, "ci:one"))).message).toContain("services/once");
  expect((await create("twice", {}, "ci:two")).service?.name).toBe("twice");
  expect((await client.call(ADMIN.listHistory, { kind: "service", name: "twice" })).entries).toMatchObject([
    { actor: "ci:two", requestId: "deploy-1" },
  ]);
});

test("an apply is one answer for all of its objects", async () => {
  const object = { case: "service", value: { name: "applied" } } as const;
  const answer = await client.call(ADMIN.apply, { objects: [{ object }], owner: "test" });
  expect(answer).toMatchObject({ changes: [{ kind: "service", name: "applied", action: Action.CREATE }] });
  expect((await client.call(ADMIN.listHistory, { kind: "service", name: "applied" })).entries).toMatchObject([
    { generation: 1n, revision: answer.revision },
  ]);
});
