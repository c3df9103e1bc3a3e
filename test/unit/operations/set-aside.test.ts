import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Mirror } from "../../../src/control/mirror.ts";
import { encodingProfile } from "../../../src/domain/encoding-profile.ts";
import { storeKey } from "../../../src/domain/name.ts";
import { ImportedObjectSchema, ImportRequestSchema } from "../../../src/gen/fairlead/admin/v1/archive_pb.ts";
import { BackendSchema } from "../../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { type Service, ServiceSchema } from "../../../src/gen/fairlead/admin/v1/service_pb.ts";
import { importState } from "../../../src/operations/archive/import-state.ts";
import { createObject } from "../../../src/operations/objects/create-object.ts";
import { deleteObject } from "../../../src/operations/objects/delete-object.ts";
import { deleteRecord } from "../../../src/operations/objects/delete-record.ts";
import { listHistory } from "../../../src/operations/objects/list-history.ts";
import { setEncodingProfile } from "../../../src/operations/objects/set-encoding-profile.ts";
import { updateObject } from "../../../src/operations/objects/update-object.ts";
import { getStatus } from "../../../src/operations/observing/get-status.ts";
import { unknownContent } from "../../../src/schema/unknown-content.ts";
import { openPlaneContext, type PlaneContext, TESTER } from "../../support/plane-context.ts";
import { GARBAGE, laterObject, STRANGE_KEYS } from "../../support/strange-records.ts";

let plane: PlaneContext;
beforeEach(async () => {
  plane = await openPlaneContext();
});
afterEach(() => plane.close());

const SHOP = storeKey("service", "shop");
const cause = { actor: "", operation: "-test", reason: "", requestId: "" };
const options = undefined;

async function write(key: string, value: Uint8Array): Promise<void> {
  const { revision } = await plane.store.commit({ ops: [{ op: "put", key, value }], cause });
  await plane.mirror.reach(revision);
}

const createService = (name: string) =>
  createObject(plane, TESTER, { kind: "service", message: create(ServiceSchema, { name }), options });
const update = (message: Service, paths: string[]) =>
  updateObject(plane, TESTER, {
    kind: "service",
    message,
    updateMask: { paths } as never,
    expectedVersion: "",
    options,
  });

describe("an object that cannot be read", () => {
  it("is not written over, whatever the verb, and says how to remove it", async () => {
    await write(SHOP, GARBAGE);
    const error = { code: "STORED_RECORD_UNREADABLE", message: expect.stringContaining(`delete record ${SHOP}`) };
    await expect(createService("shop")).rejects.toMatchObject(error);
    const deletion = { name: "shop", expectedVersion: "", force: true, options };
    await expect(deleteObject(plane, TESTER, "service", deletion)).rejects.toMatchObject(error);
    await deleteRecord(plane, TESTER, { key: SHOP, options });
    await createService("shop");
    expect(plane.mirror.setAside.size).toBe(0);
  });

  it("is removed as it was found, and no record that can be read is", async () => {
    await createService("shop");
    await expect(deleteRecord(plane, TESTER, { key: SHOP, options })).rejects.toMatchObject({ kind: "notFound" });
    await write(SHOP, GARBAGE);
    await expect(update(create(ServiceSchema, { name: "shop", labels: { a: "b" } }), [])).rejects.toMatchObject({
      code: "STORED_RECORD_UNREADABLE",
    });
  });

  it("leaves an import as what it decides, and history as what can be read of it", async () => {
    await createService("shop");
    await write(`${SHOP}/backends/a`, GARBAGE);
    await write("refusals/x", GARBAGE);
    await plane.store.commit({
      ops: [{ op: "put", key: SHOP, value: GARBAGE, history: { generation: 2, keep: 20 } }],
      cause,
    });
    expect(await listHistory(plane, { kind: "service", name: "shop" })).toHaveLength(1);
    const object = create(ImportedObjectSchema, {
      object: { case: "any", value: { object: { case: "service", value: { name: "pay" } } } },
    });
    const requests = (async function* () {
      yield create(ImportRequestSchema, { options: { replace: true, allowRemoval: true }, objects: [object] });
    })();
    await importState(plane, TESTER, requests);
    expect([...plane.mirror.setAside.keys()]).toEqual([]);
    expect([...plane.mirror.all("service")].map(({ name }) => name)).toEqual(["pay"]);
  });
});

describe("a statement of the encoding profile that cannot be read", () => {
  it("leaves the one before, and is written anew", async () => {
    await write("system/version", GARBAGE);
    expect(encodingProfile(plane.mirror)).toBe(1);
    const found = new Mirror();
    const entry = { key: "system/version", value: GARBAGE, revision: plane.mirror.revision };
    found.fold({ kind: "state", revision: entry.revision, synced: true, entries: [entry] });
    expect(encodingProfile(found)).toBe(Number.POSITIVE_INFINITY);
    await setEncodingProfile({ ...plane, mirror: found }, TESTER, { profile: 1, options });
    await plane.mirror.reach((await plane.store.read("")).revision);
    expect(plane.mirror.setAside.size).toBe(0);
  });
});

describe("status", () => {
  it("names each record, why, and what to do, and is not flooded", async () => {
    const keys = STRANGE_KEYS.filter((key) => /^[a-z]+(\/[A-Za-z0-9_-]+)+$/.test(key) && key.length < 200);
    for (const key of keys) await write(key, GARBAGE);
    const { problems } = await getStatus(plane);
    const found = problems.find(({ what }) => what === `stored record ${SHOP}/backends/s1/health/foo`);
    expect(found?.why).toMatch(/its key is not that of an object; .*fairlead delete record projects/);
    for (let i = 0; i < 300; i++) await write(`projects/default/routes/r${i}`, GARBAGE);
    await createService("pay");
    const whats = (await getStatus(plane)).problems.map(({ what }) => what);
    expect(whats.filter((what) => what.startsWith("stored record"))).toHaveLength(21);
    expect(whats).toContain("service pay is DOWN");
  });
});

describe("what a later release wrote into an object", () => {
  const later = create(ServiceSchema, { name: "shop", meta: { uid: "u", generation: 1n } });

  it("stays when single fields are changed, and is not lost by a write of the whole", async () => {
    await write(SHOP, laterObject("service", later));
    const message = create(ServiceSchema, { name: "shop", labels: { a: "b" } });
    await update(message, ["labels"]);
    const stored = plane.mirror.stored("service", "shop")?.message as Service;
    expect(stored.labels).toEqual({ a: "b" });
    expect(unknownContent(ServiceSchema, stored)).toHaveLength(1);
    expect(plane.mirror.isSetAside("service", "shop")).toBe(true);
    await expect(update(message, [])).rejects.toMatchObject({ code: "WRITTEN_BY_NEWER_RELEASE" });
    await expect(deleteRecord(plane, TESTER, { key: SHOP, options })).rejects.toMatchObject({
      code: "WRITTEN_BY_NEWER_RELEASE",
    });
  });

  it("is seen in an enum's value that is not known here", async () => {
    await write(SHOP, laterObject("service", create(ServiceSchema, { ...later, protocol: 77 as never })));
    await write(
      storeKey("backend", "shop/a"),
      laterObject("backend", create(BackendSchema, { name: "shop/a", meta: { uid: "u", generation: 1n } })),
    );
    expect([...plane.mirror.setAside.values()].map(({ isNewer }) => isNewer)).toEqual([true, true]);
    const [first] = (await getStatus(plane)).problems;
    expect(first?.why).toMatch(/Protocol has no value 77.*held back.*run the release that wrote it/);
  });
});
