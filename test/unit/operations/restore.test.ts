import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { REFUSALS } from "../../../src/fleet/stored-refusals.ts";
import {
  type BackupRecord,
  BackupRecordSchema,
  BackupResponseSchema,
  RestoreRequestSchema,
} from "../../../src/gen/fairlead/admin/v1/archive_pb.ts";
import { RefusalMarksSchema } from "../../../src/gen/fairlead/store/v1/refusal_marks_pb.ts";
import { StoredObjectSchema } from "../../../src/gen/fairlead/store/v1/stored_object_pb.ts";
import { backup } from "../../../src/operations/backup.ts";
import { createObject } from "../../../src/operations/create-object.ts";
import { listHistory } from "../../../src/operations/list-history.ts";
import { restore } from "../../../src/operations/restore.ts";
import { messageFromJson } from "../../../src/schema/object-json.ts";
import { openPlaneContext, type PlaneContext, TESTER } from "../../support/plane-context.ts";

let plane: PlaneContext;
beforeEach(async () => {
  plane = await openPlaneContext();
});
afterEach(() => plane.close());

async function createService(name: string): Promise<void> {
  const read = messageFromJson("service", { name });
  if (!read.ok) throw new Error("bad service");
  await createObject(plane, TESTER, { kind: "service", message: read.message, options: undefined });
}

async function records(): Promise<BackupRecord[]> {
  const all: BackupRecord[] = [];
  for await (const answer of backup(plane, TESTER)) all.push(...create(BackupResponseSchema, answer).records);
  return all;
}

/** One record a request, so that each boundary is met. */
async function* requests(all: readonly BackupRecord[], replace = true) {
  yield create(RestoreRequestSchema, { options: { replace, reason: "" } });
  for (const record of all) yield create(RestoreRequestSchema, { records: [record] });
}

const restored = (all: readonly BackupRecord[], replace = true) => restore(plane, TESTER, requests(all, replace));
const services = () => Array.from(plane.mirror.all("service"), ({ name }) => name).sort();
const putRefusal = (nodeId: string) =>
  plane.store.commit({
    ops: [
      {
        op: "put",
        key: `${REFUSALS}edge-1`,
        value: toBinary(RefusalMarksSchema, create(RefusalMarksSchema, { nodeId })),
      },
    ],
    cause: { actor: "", operation: "", reason: "", requestId: "" },
  });

const refusals = async () =>
  (await plane.store.read(REFUSALS)).entries.map(({ value }) => fromBinary(RefusalMarksSchema, value).nodeId);

describe("a restore", () => {
  it("makes the state be what it was, with history and journal, and serves it when it answers", async () => {
    await createService("shop");
    const all = await records();
    const history = await listHistory(plane, { kind: "service", name: "shop" });
    await createService("pay");
    const { revision, restored: counts } = await restored(all);
    expect(revision).toMatch(/^2\./);
    expect(counts).toMatchObject({ entries: 1n, copies: 1n, journal: 1n });
    expect(services()).toEqual(["shop"]);
    expect(await listHistory(plane, { kind: "service", name: "shop" })).toEqual(history);
  });

  it("keeps what is known of refusals now, but for those that the backup tells of", async () => {
    await createService("shop");
    const all = await records();
    await putRefusal("now");
    await restored(all);
    expect(await refusals()).toEqual(["now"]);
    const withRefusal = await records();
    await putRefusal("later");
    await restored(withRefusal);
    expect(await refusals()).toEqual(["now"]);
  });

  it("replaces objects only when that is asked for", async () => {
    await createService("shop");
    const refused = restored(await records(), false);
    await expect(refused).rejects.toMatchObject({ kind: "precondition", code: "STATE_NOT_EMPTY" });
  });
});

describe("a backup that cannot be restored is refused, and nothing changes:", () => {
  const entryOf = (key: string, schema: number) => {
    const value = toBinary(StoredObjectSchema, create(StoredObjectSchema, { schema, kind: "service" }));
    return create(BackupRecordSchema, { record: { case: "entry", value: { key, value } } });
  };
  const isOf = (of: BackupRecord["record"]["case"]) => (record: BackupRecord) => record.record.case === of;
  const without = (of: BackupRecord["record"]["case"]) => (all: BackupRecord[]) =>
    all.filter(({ record }) => record.case !== of);
  const headOf = (all: readonly BackupRecord[], head: object) =>
    create(BackupRecordSchema, {
      record: { case: "head", value: { ...all.find(isOf("head"))?.record.value, ...head } } as never,
    });

  const cases: [what: string, damage: (all: BackupRecord[]) => BackupRecord[], refusal: object][] = [
    ["nothing", () => [], { code: "BAD_BACKUP", message: /breaks off before its end/ }],
    ["no head", without("head"), { code: "BAD_BACKUP", message: /does not begin with a head/ }],
    ["no end", without("end"), { code: "BAD_BACKUP", message: /breaks off before its end/ }],
    ["a missing entry", without("entry"), { code: "BAD_BACKUP", message: /parts of it are missing/ }],
    ["a missing copy", without("copy"), { code: "BAD_BACKUP", message: /parts of it are missing/ }],
    ["a missing journal", without("journal"), { code: "BAD_BACKUP", message: /parts of it are missing/ }],
    ["more after its end", (all) => [...all, ...all], { code: "BAD_BACKUP", message: /goes on after its end/ }],
    [
      "no revision",
      (all) => [headOf(all, { revision: "x" }), ...without("head")(all)],
      { code: "BAD_BACKUP", message: /"x" in it is no revision/ },
    ],
    [
      "a newer form",
      (all) => [headOf(all, { format: 2, productVersion: "9.0.0" }), ...without("head")(all)],
      { code: "WRITTEN_BY_NEWER_RELEASE", message: /made by release 9\.0\.0 \(format 2; this one reads up to 1\)/ },
    ],
    [
      "an object of a newer schema",
      (all) => all.map((one) => (isOf("entry")(one) ? entryOf("projects/default/services/shop", 99) : one)),
      { code: "WRITTEN_BY_NEWER_RELEASE", message: /services\/shop" was written by a newer release \(schema 99/ },
    ],
  ];
  it.each(cases)("%s", async (_, damage, { message, ...refusal }: { message?: RegExp }) => {
    await createService("shop");
    const all = damage(await records());
    await createService("pay");
    const { entries, revision } = await plane.store.read("");
    const error = await restored(all).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject(refusal);
    expect((error as Error).message).toMatch(message ?? /never/);
    expect(await plane.store.read("")).toEqual({ entries, revision });
    expect(services()).toEqual(["pay", "shop"]);
  });
});
