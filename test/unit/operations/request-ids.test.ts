import { deflateRawSync } from "node:zlib";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, test } from "vitest";
import { requestDigest } from "../../../src/api/request-digest.ts";
import { RollbackResponseSchema } from "../../../src/gen/fairlead/admin/v1/admin_pb.ts";
import { BackendSchema } from "../../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { ServiceSchema } from "../../../src/gen/fairlead/admin/v1/service_pb.ts";
import { WriteOptionsSchema } from "../../../src/gen/fairlead/admin/v1/write_pb.ts";
import { registerBackend } from "../../../src/operations/membership/register-backend.ts";
import { createObject } from "../../../src/operations/objects/create-object.ts";
import { updateObject } from "../../../src/operations/objects/update-object.ts";
import { givenRequestId, keptRequestId } from "../../../src/operations/writing/request-record.ts";
import { callerFor, openPlaneContext, type PlaneContext, TESTER } from "../../support/plane-context.ts";

let plane: PlaneContext;
beforeEach(async () => {
  plane = await openPlaneContext();
});
afterEach(() => plane.close());

type ServiceFields = MessageInitShape<typeof ServiceSchema>;
const options = create(WriteOptionsSchema, { requestId: "r" });
const createService = (fields: ServiceFields = { name: "shop" }, actor = "test:alice") => {
  const message = create(ServiceSchema, fields);
  return createObject(plane, callerFor(actor, message), { kind: "service", message, options });
};
const update = (fields: ServiceFields, caller = TESTER, withId?: typeof options) =>
  updateObject(plane, caller, {
    kind: "service",
    message: create(ServiceSchema, { ...fields, name: "shop" }),
    expectedVersion: "",
    ...(withId && { options: withId }),
  });

test("a retry gets the first answer, also after others have written", async () => {
  const first = await createService();
  await update({ drainTime: { seconds: 9n } });
  expect(await createService()).toEqual(first);
  expect(plane.mirror.get("service", "shop")?.drainTimeMs).toBe(9000);
});

test("two tries at the same time are one write", async () => {
  const [a, b] = await Promise.all([createService(), createService()]);
  expect(a).toEqual(b);
  expect(await plane.journal.list({ limit: 10 })).toHaveLength(1);
});

test("the id of another operation is refused", async () => {
  await createService();
  await expect(update({}, TESTER, options)).rejects.toMatchObject({ kind: "invalid", code: "REQUEST_ID_REUSED" });
});

test("the same id with another object is refused, and the error names what the id wrote", async () => {
  const { revision } = await createService();
  const error = createService({ name: "other" });
  await expect(error).rejects.toMatchObject({ code: "REQUEST_ID_REUSED", details: { requestId: "r", revision } });
  await expect(error).rejects.toThrow(/create-service, which wrote \S*services\/shop .* has other content/);
  expect(plane.mirror.get("service", "other")).toBeUndefined();
});

test("the same id with another address or weight is refused", async () => {
  await createService();
  const register = (target: string, weight: number) => {
    const backend = create(BackendSchema, { name: "shop/a", target: { case: "address", value: target }, weight });
    const request = { backend, expectedVersion: "", options: create(WriteOptionsSchema, { requestId: "b" }) };
    return registerBackend(plane, callerFor("test:alice", backend), request);
  };
  const { revision } = await register("127.0.0.1:1", 1);
  await expect(register("127.0.0.1:2", 1)).rejects.toMatchObject({ code: "REQUEST_ID_REUSED" });
  await expect(register("127.0.0.1:1", 2)).rejects.toMatchObject({ code: "REQUEST_ID_REUSED" });
  expect((await register("127.0.0.1:1", 1)).revision).toBe(revision);
});

test("two tries at the same time with other content are one write and one error", async () => {
  const tries = await Promise.allSettled([createService({ name: "shop" }), createService({ name: "other" })]);
  expect(tries.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect([...plane.mirror.all("service")]).toHaveLength(1);
});

test("each caller's ids are its own", async () => {
  await createService({ name: "shop" }, "ci:one");
  await createService({ name: "other" }, "ci:two");
  expect([...plane.mirror.all("service")].map(({ name }) => name).sort()).toEqual(["other", "shop"]);
  await expect(createService({ name: "third" }, "ci:two")).rejects.toMatchObject({ code: "REQUEST_ID_REUSED" });
});

test("an entry that an earlier release wrote is still the answer to its caller's retry, and nobody else's", async () => {
  const answer = create(RollbackResponseSchema, { object: { object: { case: "service", value: { name: "shop" } } } });
  await plane.store.commit({
    ops: [],
    cause: {
      actor: "test:alice",
      operation: "create-service",
      reason: "",
      requestId: "r",
      result: deflateRawSync(toBinary(RollbackResponseSchema, answer)),
    },
  });
  const again = await createService();
  expect(again.object?.object.value?.name).toBe("shop");
  expect(plane.mirror.get("service", "shop")).toBeUndefined();
  await createService({ name: "shop" }, "test:bob");
  expect(plane.mirror.get("service", "shop")).toBeDefined();
});

test("an answer too long to be kept is kept in short", async () => {
  const noise = (i: number) =>
    Array.from({ length: 4096 }, (_, k) => String.fromCharCode(0x4e00 + ((i * 7919 + k * 104_729) % 20_000))).join("");
  const annotations = Object.fromEntries(Array.from({ length: 32 }, (_, i) => [`k${i}`, noise(i)]));
  const first = await createService({ name: "shop", annotations });
  const again = await createService({ name: "shop", annotations });
  expect(again.revision).toBe(first.revision);
  expect(again.object?.object.value?.meta).toEqual(first.object?.object.value?.meta);
  await expect(createService({ name: "shop" })).rejects.toMatchObject({ code: "REQUEST_ID_REUSED" });
});

test("one that is too long is refused", async () => {
  const long = create(WriteOptionsSchema, { requestId: "x".repeat(129) });
  await expect(update({}, TESTER, long)).rejects.toMatchObject({ kind: "invalid" });
});

test("a digest is that of the content, whatever the order of a map's entries", () => {
  const digest = (labels: Record<string, string>, method = "CreateService") =>
    Buffer.from(requestDigest(method, create(ServiceSchema, { name: "a", labels }))).toString("hex");
  expect(digest({ a: "1", b: "2" })).toBe(digest({ b: "2", a: "1" }));
  expect(digest({ a: "1" })).not.toBe(digest({ a: "2" }));
  expect(digest({ a: "1" })).not.toBe(digest({ a: "1" }, "UpdateService"));
});

test.each(["r", "with a space", "x".repeat(128), ""])("what is kept tells the id as it was given: %j", (requestId) => {
  expect(givenRequestId(keptRequestId({ actor: "cli:alice" }, requestId))).toBe(requestId);
  expect(givenRequestId(requestId)).toBe(requestId);
});
