import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { FieldMaskSchema } from "@bufbuild/protobuf/wkt";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Change_Action as Action } from "../../../src/gen/fairlead/admin/v1/apply_pb.ts";
import { Backend_State, BackendSchema } from "../../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { ListenerSchema } from "../../../src/gen/fairlead/admin/v1/listener_pb.ts";
import { PolicySchema } from "../../../src/gen/fairlead/admin/v1/policy_pb.ts";
import { RouteSchema } from "../../../src/gen/fairlead/admin/v1/route_pb.ts";
import { ServiceSchema } from "../../../src/gen/fairlead/admin/v1/service_pb.ts";
import { WriteOptionsSchema } from "../../../src/gen/fairlead/admin/v1/write_pb.ts";
import { drainBackend } from "../../../src/operations/membership/drain-backend.ts";
import { registerBackend } from "../../../src/operations/membership/register-backend.ts";
import { unregisterBackend } from "../../../src/operations/membership/unregister-backend.ts";
import { createObject } from "../../../src/operations/objects/create-object.ts";
import { deleteObject } from "../../../src/operations/objects/delete-object.ts";
import { getObject } from "../../../src/operations/objects/get-object.ts";
import { listHistory } from "../../../src/operations/objects/list-history.ts";
import { putPolicy } from "../../../src/operations/objects/put-policy.ts";
import { rollback } from "../../../src/operations/objects/rollback.ts";
import { updateObject } from "../../../src/operations/objects/update-object.ts";
import { givenRequestId } from "../../../src/operations/writing/request-record.ts";
import { openPlaneContext, type PlaneContext, TESTER } from "../../support/plane-context.ts";

let plane: PlaneContext;
beforeEach(async () => {
  plane = await openPlaneContext();
});
afterEach(() => plane.close());

type ServiceFields = MessageInitShape<typeof ServiceSchema>;
const service = (fields: ServiceFields = {}) => create(ServiceSchema, { ...fields, name: "shop" });
const seconds = (count: number) => ({ drainTime: { seconds: BigInt(count) } });
const createShop = (options?: Parameters<typeof createObject>[2]["options"]) =>
  createObject(plane, TESTER, { kind: "service", message: service(), options });
const updateShop = (fields: ServiceFields, expectedVersion = "") =>
  updateObject(plane, TESTER, { kind: "service", message: service(fields), expectedVersion });
const register = (name: string, address: string, more: { weight?: number } = {}) =>
  registerBackend(plane, TESTER, {
    backend: create(BackendSchema, { name, target: { case: "address", value: address }, ...more }),
    expectedVersion: "",
  });
const removal = (name: string, force = false) => ({ name, force, expectedVersion: "" });
const metaOf = (name = "shop") => plane.mirror.stored("service", name)?.message.meta;

describe("the envelope", () => {
  test("the generation grows with the spec and with nothing else", async () => {
    await createShop();
    await updateShop({ labels: { team: "a" } });
    expect(metaOf()).toMatchObject({ generation: 1n });
    await updateShop({ labels: { team: "a" }, ...seconds(5) });
    expect(metaOf()).toMatchObject({ generation: 2n });
  });

  test("a write that changes nothing is not written, and answers with the last write", async () => {
    const { revision } = await createShop();
    const again = await updateShop({});
    expect(again.revision).toBe(revision);
    expect((await plane.store.read("")).revision).toEqual(plane.mirror.revision);
    expect(await plane.journal.list({ limit: 10 })).toHaveLength(1);
  });

  test("what only the plane may write is passed over", async () => {
    await createShop();
    await register("shop/a", "10.0.0.1:80");
    await registerBackend(plane, TESTER, {
      backend: create(BackendSchema, {
        name: "shop/a",
        target: { case: "address", value: "10.0.0.1:80" },
        state: Backend_State.DRAINING,
        meta: { uid: "mine", generation: 99n },
      }),
      expectedVersion: "",
    });
    expect(plane.mirror.get("backend", "shop/a")).toMatchObject({ state: "ACTIVE", meta: { generation: 1 } });
  });

  test("an object of the same name that comes later is another one", async () => {
    await createShop();
    const uid = metaOf()?.uid;
    await deleteObject(plane, TESTER, "service", removal("shop"));
    await createShop();
    expect(metaOf()?.uid).not.toBe(uid);
  });

  test("the journal says who did what and why", async () => {
    await createShop(create(WriteOptionsSchema, { reason: "launch", requestId: "r-1" }));
    const [entry] = await plane.journal.list({ limit: 1 });
    expect(entry).toMatchObject({ actor: "test:alice", operation: "create-service", reason: "launch" });
    expect(givenRequestId(entry?.requestId ?? "")).toBe("r-1");
  });
});

describe("guards", () => {
  test("a stale version changes nothing, and the error names both", async () => {
    const { revision } = await createShop();
    await updateShop(seconds(5), revision);
    await expect(updateShop(seconds(6), revision)).rejects.toMatchObject({
      kind: "conflict",
      code: "VERSION_MISMATCH",
      details: { expected: revision, found: metaOf()?.version },
    });
    expect(plane.mirror.get("service", "shop")?.drainTimeMs).toBe(5000);
  });

  test("a version of a deleted object fails as well", async () => {
    const { revision } = await createShop();
    await deleteObject(plane, TESTER, "service", removal("shop"));
    await expect(
      deleteObject(plane, TESTER, "service", { ...removal("shop"), expectedVersion: revision }),
    ).rejects.toMatchObject({ kind: "conflict", code: "VERSION_MISMATCH" });
  });

  test("what is no version is refused as such", async () => {
    await createShop();
    await expect(updateShop({}, "latest")).rejects.toMatchObject({ kind: "invalid", code: "INVALID_FIELD" });
  });

  test("a name that is taken is refused", async () => {
    await createShop();
    await expect(createShop()).rejects.toMatchObject({ kind: "exists", code: "ALREADY_EXISTS" });
  });
});

test("validate_only checks everything and writes nothing", async () => {
  const options = create(WriteOptionsSchema, { validateOnly: true });
  expect((await createShop(options)).revision).toBe("");
  expect(plane.mirror.get("service", "shop")).toBeUndefined();
  await createShop();
  await expect(createShop(options)).rejects.toMatchObject({ kind: "exists" });
});

describe("update masks", () => {
  const update = (fields: ServiceFields, paths: string[]) =>
    updateObject(plane, TESTER, {
      kind: "service",
      message: service(fields),
      expectedVersion: "",
      updateMask: create(FieldMaskSchema, { paths }),
    });

  test("touch the fields they name, and no others", async () => {
    await createShop();
    await updateShop({ ...seconds(5), policy: "fast" });
    await update({ policy: "slow" }, ["policy"]);
    expect(plane.mirror.get("service", "shop")).toMatchObject({ policy: "slow", drainTimeMs: 5000 });
  });

  test.each(["polcy", "meta.uid", "conditions"])("that name %s are refused", async (path) => {
    await createShop();
    await expect(update({}, [path])).rejects.toMatchObject({ kind: "invalid" });
  });
});

describe("references", () => {
  beforeEach(async () => {
    await createShop();
    await createObject(plane, TESTER, {
      kind: "route",
      message: create(RouteSchema, {
        name: "shop",
        listeners: ["web"],
        hosts: ["*"],
        rules: [{ to: [{ service: "shop" }] }],
      }),
      options: undefined,
    });
  });

  test("what others refer to is not deleted, and they are named", async () => {
    await expect(deleteObject(plane, TESTER, "service", removal("shop"))).rejects.toMatchObject({
      kind: "precondition",
      code: "STILL_REFERRED_TO",
      details: { referrers: "route shop" },
    });
  });

  test("force deletes it, a service with its backends and their verdicts, at once", async () => {
    await register("shop/a", "10.0.0.1:80");
    await register("shop/b", "10.0.0.2:80");
    await deleteObject(plane, TESTER, "service", removal("shop", true));
    expect([...plane.mirror.all("backend")]).toEqual([]);
    expect(await plane.journal.list({ limit: 1 })).toMatchObject([{ operation: "delete-service" }]);
    expect((await getObject(plane, "route", "shop")).conditions).toMatchObject([
      { type: "ResolvedRefs", reason: "UnknownListener" },
      { type: "ResolvedRefs", reason: "UnknownService" },
    ]);
  });
});

describe("backends", () => {
  test("one of an unknown service is refused", async () => {
    await expect(register("nowhere/a", "10.0.0.1:80")).rejects.toMatchObject({
      kind: "notFound",
      code: "SERVICE_NOT_FOUND",
    });
  });

  test("a drain keeps the time it began, and nobody registers what is about to go", async () => {
    await createShop();
    await register("shop/a", "10.0.0.1:80");
    const drain = (undo = false) =>
      drainBackend(plane, TESTER, { name: "shop/a", undo, expectedVersion: "", allowRemoval: true });
    const first = await drain();
    expect((await drain()).revision).toBe(first.revision);
    const began = plane.mirror.get("backend", "shop/a")?.drainedAt;
    await expect(register("shop/a", "10.0.0.1:80")).rejects.toMatchObject({
      code: "BACKEND_DRAINING",
      message: expect.stringContaining("fairlead drain shop/a --undo"),
    });
    expect(plane.mirror.get("backend", "shop/a")).toMatchObject({ state: "DRAINING", drainedAt: began });
    await drain(true);
    expect(plane.mirror.get("backend", "shop/a")).toMatchObject({ state: "ACTIVE", drainedAt: undefined });
  });

  test("registering again changes what is given and nothing else, and says what it changed", async () => {
    await createShop();
    const given = (fields: MessageInitShape<typeof BackendSchema>) =>
      registerBackend(plane, TESTER, {
        backend: create(BackendSchema, { ...fields, name: "shop/a" }),
        expectedVersion: "",
        options: undefined,
      });
    const first = await given({
      target: { case: "address", value: "10.0.0.1:80" },
      weight: 3,
      priority: 1,
      locality: { region: "eu", zone: "eu-1a" },
      labels: { team: "a", tier: "web" },
      checkPort: 81,
    });
    expect(first.change).toMatchObject({ action: Action.CREATE, fields: [] });
    const second = await given({ priority: 0, locality: { zone: "eu-1b" }, labels: { team: "b" } });
    expect(second.change).toMatchObject({ action: Action.UPDATE });
    expect(second.change?.fields.map(({ path, from, to }) => `${path} ${from} ${to}`)).toEqual([
      'labels.team "a" "b"',
      'locality.zone "eu-1a" "eu-1b"',
      "priority 1 ",
    ]);
    expect(plane.mirror.get("backend", "shop/a")).toMatchObject({
      target: { ip: "10.0.0.1", port: 80 },
      weight: 3,
      priority: 0,
      locality: { region: "eu", zone: "eu-1b" },
      meta: { labels: { team: "b", tier: "web" } },
      checkPort: 81,
    });
    expect((await given({ weight: 3 })).change).toMatchObject({ action: Action.UNCHANGED });
    await given({ target: { case: "pipe", value: "/run/a.sock" } });
    expect(plane.mirror.get("backend", "shop/a")?.target).toEqual({ kind: "pipe", path: "/run/a.sock" });
  });

  test("one that is not there cannot be drained or unregistered", async () => {
    const nobody = { name: "shop/nobody", undo: false, expectedVersion: "", allowRemoval: true };
    await expect(drainBackend(plane, TESTER, nobody)).rejects.toMatchObject({ code: "BACKEND_NOT_FOUND" });
    await expect(unregisterBackend(plane, TESTER, nobody)).rejects.toMatchObject({ code: "BACKEND_NOT_FOUND" });
  });
});

test("a listener on an address that another one of its fleet holds is refused, when created and when moved", async () => {
  const listener = (name: string, port: number) =>
    create(ListenerSchema, { name, fleet: "edge", address: `0.0.0.0:${port}` });
  const open = (name: string, port: number) =>
    createObject(plane, TESTER, { kind: "listener", message: listener(name, port), options: undefined });
  await open("web", 10000);
  await expect(open("other", 10000)).rejects.toMatchObject({ code: "ADDRESS_IN_USE", details: { holder: "web" } });
  await open("other", 10001);
  await expect(
    updateObject(plane, TESTER, { kind: "listener", message: listener("other", 10000), expectedVersion: "" }),
  ).rejects.toMatchObject({ kind: "precondition", code: "ADDRESS_IN_USE" });
});

describe("history", () => {
  test("tells each generation with who made it, and goes back by a new one", async () => {
    await createShop(create(WriteOptionsSchema, { reason: "first" }));
    await updateShop(seconds(5));
    await updateShop({ ...seconds(5), labels: { a: "b" } });
    expect(await listHistory(plane, { kind: "service", name: "shop" })).toMatchObject([
      { generation: 2n, actor: "test:alice" },
      { generation: 1n, reason: "first", object: { object: { case: "service" } } },
    ]);
    await rollback(plane, TESTER, { kind: "service", name: "shop", toGeneration: 1n, expectedVersion: "" });
    expect(plane.mirror.get("service", "shop")).toMatchObject({
      drainTimeMs: 300_000,
      meta: { generation: 3, labels: { a: "b" } },
    });
  });

  test("a generation that is not kept is refused", async () => {
    await createShop();
    await expect(
      rollback(plane, TESTER, { kind: "service", name: "shop", toGeneration: 7n, expectedVersion: "" }),
    ).rejects.toMatchObject({ kind: "notFound", code: "GENERATION_NOT_FOUND" });
  });

  test("an earlier object of the same name is not part of it", async () => {
    await createShop();
    await updateShop(seconds(5));
    await updateShop(seconds(6));
    await deleteObject(plane, TESTER, "service", removal("shop"));
    await createShop();
    expect(await listHistory(plane, { kind: "service", name: "shop" })).toMatchObject([{ generation: 1n }]);
  });

  test("a deleted object comes back as itself, and its generations go on", async () => {
    await createShop();
    await updateShop({ labels: { a: "b" }, ...seconds(5) });
    await updateShop({ labels: { a: "b" }, ...seconds(6) });
    const meta = metaOf();
    await deleteObject(plane, TESTER, "service", removal("shop"));
    expect(await listHistory(plane, { kind: "service", name: "shop" })).toHaveLength(3);
    const dry = { options: create(WriteOptionsSchema, { validateOnly: true }) };
    const request = { kind: "service", name: "shop", toGeneration: 2n, expectedVersion: "" };
    expect((await rollback(plane, TESTER, { ...request, ...dry })).change).toMatchObject({ action: Action.CREATE });
    expect(plane.mirror.get("service", "shop")).toBeUndefined();
    await rollback(plane, TESTER, request);
    expect(plane.mirror.get("service", "shop")).toMatchObject({ drainTimeMs: 5_000, meta: { labels: { a: "b" } } });
    expect(metaOf()).toMatchObject({ uid: meta?.uid, createTime: meta?.createTime, generation: 4n });
    expect(await listHistory(plane, { kind: "service", name: "shop" })).toHaveLength(4);
  });

  test("a rollback tells what it changes, before and after", async () => {
    await createShop();
    await updateShop(seconds(5));
    const request = { kind: "service", name: "shop", toGeneration: 1n, expectedVersion: "" };
    const difference = { action: Action.UPDATE, fields: [{ path: "drainTime", from: '"5s"', to: "" }] };
    const dry = { options: create(WriteOptionsSchema, { validateOnly: true }) };
    expect((await rollback(plane, TESTER, { ...request, ...dry })).change).toMatchObject(difference);
    expect(metaOf()).toMatchObject({ generation: 2n });
    expect((await rollback(plane, TESTER, request)).change).toMatchObject(difference);
    expect((await rollback(plane, TESTER, request)).change).toMatchObject({ action: Action.UNCHANGED });
  });

  test("backends have none", async () => {
    await expect(listHistory(plane, { kind: "backend", name: "shop/a" })).rejects.toMatchObject({ kind: "invalid" });
  });
});

test("a policy is put whether it was there or not", async () => {
  const put = (panicThreshold: number) =>
    putPolicy(plane, TESTER, { policy: create(PolicySchema, { name: "shop", panicThreshold }), expectedVersion: "" });
  await put(10);
  await put(20);
  expect(plane.mirror.get("policy", "shop")).toMatchObject({ panicThreshold: 20, meta: { generation: 2 } });
  await deleteObject(plane, TESTER, "policy", removal("shop"));
  expect(plane.mirror.get("policy", "shop")).toBeUndefined();
});
