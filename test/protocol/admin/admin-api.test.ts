import { ServerCredentials, status } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AdminServer, createAdminServer } from "../../../src/admin/admin-server.ts";
import { Backend_State } from "../../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { silentLogger } from "../../../src/runtime/logger.ts";
import { ADMIN, detailsOf, TestClient } from "../../support/admin-client.ts";
import { openPlaneContext, type PlaneContext } from "../../support/plane-context.ts";

let plane: PlaneContext;
let server: AdminServer;
let client: TestClient;

beforeAll(async () => {
  plane = await openPlaneContext();
  server = createAdminServer({ context: plane, logger: silentLogger, notReady: () => undefined });
  client = new TestClient(await server.listen("127.0.0.1:0", ServerCredentials.createInsecure()));
});

afterAll(async () => {
  client.close();
  await server.stop(1000);
  await plane.close();
});

const refused = async (call: Promise<unknown>) =>
  detailsOf(
    await call.then(
      () => expect.unreachable("the call was accepted"),
      (error: unknown) => error,
    ),
  );

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
  });

  await client.call(ADMIN.deleteService, { name: "life" });
  expect(await refused(client.call(ADMIN.getService, { name: "life" }))).toMatchObject({
    code: status.NOT_FOUND,
    reason: "SERVICE_NOT_FOUND",
  });
});

test("a backend is registered, drained, put back and unregistered", async () => {
  await client.call(ADMIN.createService, { service: { name: "pool" } });
  const target = { case: "address", value: "127.0.0.1:9001" } as const;
  await client.call(ADMIN.registerBackend, { backend: { name: "pool/a", target } });
  const drained = await client.call(ADMIN.drainBackend, { name: "pool/a" });
  expect(drained.backend).toMatchObject({ state: Backend_State.DRAINING, meta: { generation: 2n } });
  expect(drained.backend?.drainTime).toBeDefined();
  const back = await client.call(ADMIN.drainBackend, { name: "pool/a", undo: true });
  expect(back.backend).toMatchObject({ state: Backend_State.ACTIVE });
  expect(back.backend?.drainTime).toBeUndefined();
  await client.call(ADMIN.unregisterBackend, { name: "pool/a" });
  expect((await client.call(ADMIN.listBackends, { service: "pool" })).backends).toEqual([]);
});
