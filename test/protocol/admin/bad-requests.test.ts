import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { ServerCredentials, status } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AdminServer, createAdminServer } from "../../../src/admin/admin-server.ts";
import { CreateServiceRequestSchema } from "../../../src/gen/fairlead/admin/v1/admin_pb.ts";
import type { Service_Protocol } from "../../../src/gen/fairlead/admin/v1/service_pb.ts";
import { silentLogger } from "../../../src/runtime/logger.ts";
import { ADMIN, errorOf, TestClient } from "../../support/admin-client.ts";
import { openPlaneContext, type PlaneContext, testContainment } from "../../support/plane-context.ts";

let plane: PlaneContext;
let server: AdminServer;
let client: TestClient;
let address: string;

beforeAll(async () => {
  plane = await openPlaneContext();
  server = createAdminServer({
    context: plane,
    logger: silentLogger,
    notReady: () => undefined,
    containment: testContainment(),
  });
  address = await server.listen("127.0.0.1:0", ServerCredentials.createInsecure());
  client = new TestClient(address);
});

afterAll(async () => {
  client.close();
  await server.stop(1000);
  await plane.close();
});

const unchanged = async (run: () => Promise<unknown>) => {
  const before = plane.mirror.revision;
  const error = await errorOf(run());
  expect(plane.mirror.revision).toEqual(before);
  return error;
};

test("every bad field of a request is named", async () => {
  const route = { name: "Bad", rules: [{ to: [{ service: "shop", weight: 0 }] }] };
  const error = await unchanged(() => client.call(ADMIN.createRoute, { route }));
  expect(error).toMatchObject({ code: status.INVALID_ARGUMENT, reason: "INVALID_FIELD" });
  expect(error.fields).toEqual(["name"]);
  const inner = await unchanged(() => client.call(ADMIN.createRoute, { route: { ...route, name: "bad" } }));
  expect(inner.fields).toEqual(expect.arrayContaining(["listeners", "hosts"]));
});

test.each([0, 70_000])("the port %i is refused", async (port) => {
  const listener = { name: "web", fleet: "edge", address: `0.0.0.0:${port}` };
  expect(await unchanged(() => client.call(ADMIN.createListener, { listener }))).toMatchObject({
    code: status.INVALID_ARGUMENT,
    fields: ["address"],
  });
});

test("an unknown enum value is refused", async () => {
  const service = { name: "shop", protocol: 77 as Service_Protocol };
  expect(await unchanged(() => client.call(ADMIN.createService, { service }))).toMatchObject({
    code: status.INVALID_ARGUMENT,
    fields: ["protocol"],
  });
});

test("a field that the plane does not know is refused, wherever it is", async () => {
  const inner = new BinaryWriter().tag(1, WireType.LengthDelimited).string("shop").tag(777, WireType.Varint).int32(1);
  const bytes = new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(inner.finish()).finish();
  expect(await unchanged(() => client.send(ADMIN.createService, bytes))).toMatchObject({
    code: status.INVALID_ARGUMENT,
    reason: "UNKNOWN_FIELD",
    fields: ["service"],
  });
});

test("bytes that do not decode are the caller's error", async () => {
  expect(await unchanged(() => client.send(ADMIN.createService, Buffer.from([0x0a, 0xff])))).toMatchObject({
    code: status.INVALID_ARGUMENT,
    reason: "MALFORMED_REQUEST",
  });
});

test("a request without its object is refused", async () => {
  expect(await unchanged(() => client.call(ADMIN.createService, {}))).toMatchObject({
    code: status.INVALID_ARGUMENT,
    fields: ["service"],
  });
});

test("a manifest of 10 MB is refused with the limit, and the next request is served", async () => {
  const objects = Array.from({ length: 140 }, (_, i) => ({
    object: {
      case: "service" as const,
      value: {
        name: `s${i}`,
        annotations: Object.fromEntries(Array.from({ length: 18 }, (_, k) => [`k${k}`, "x".repeat(4096)])),
      },
    },
  }));
  const error = await unchanged(() => client.call(ADMIN.apply, { objects }));
  expect(error).toMatchObject({ code: status.RESOURCE_EXHAUSTED, reason: "REQUEST_TOO_LARGE" });
  await client.call(ADMIN.getStatus, {});
});

test("a request beyond what is read at all is refused too", async () => {
  const request = create(CreateServiceRequestSchema, {
    service: { name: "x", annotations: { k: "x".repeat(70_000_000) } },
  });
  const error = await unchanged(() => client.send(ADMIN.createService, toBinary(CreateServiceRequestSchema, request)));
  expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
  await client.call(ADMIN.getStatus, {});
});

test("many bad fields do not make an answer that clients cannot read", async () => {
  const objects = Array.from({ length: 900 }, (_, i) => ({
    object: { case: "service" as const, value: { name: `NO-${i}` } },
  }));
  const error = await unchanged(() => client.call(ADMIN.apply, { objects }));
  expect(error).toMatchObject({ code: status.INVALID_ARGUMENT, reason: "INVALID_FIELD" });
  expect(error.fields.length).toBeGreaterThan(5);
});

test("an actor that is too long is refused", async () => {
  const call = () => client.call(ADMIN.getStatus, {}, { "x-fairlead-actor": "x".repeat(200) });
  expect(await unchanged(call)).toMatchObject({ code: status.INVALID_ARGUMENT });
});

test("an address in use is said so", async () => {
  const second = createAdminServer({
    context: plane,
    logger: silentLogger,
    notReady: () => undefined,
    containment: testContainment(),
  });
  await expect(second.listen(address, ServerCredentials.createInsecure())).rejects.toMatchObject({
    kind: "precondition",
    code: "LISTEN_ADDRESS_IN_USE",
  });
});
