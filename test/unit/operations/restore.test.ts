import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  BackupCopySchema,
  BackupEntrySchema,
  BackupJournalEntrySchema,
  type BackupRecord,
  BackupRecordSchema,
  BackupResponseSchema,
  type ReplaceOptionsSchema,
  RestoreRequestSchema,
} from "../../../src/gen/fairlead/admin/v1/archive_pb.ts";
import { ServiceSchema } from "../../../src/gen/fairlead/admin/v1/service_pb.ts";
import { RefusalMarksSchema } from "../../../src/gen/fairlead/store/v1/refusal_marks_pb.ts";
import { StoredObjectSchema } from "../../../src/gen/fairlead/store/v1/stored_object_pb.ts";
import { backup } from "../../../src/operations/archive/backup.ts";
import { restore } from "../../../src/operations/archive/restore.ts";
import { createObject } from "../../../src/operations/objects/create-object.ts";
import { listHistory } from "../../../src/operations/objects/list-history.ts";
import { messageFromJson } from "../../../src/schema/object-json.ts";
import { encodeStored } from "../../../src/schema/stored-object.ts";
import { REFUSAL } from "../../../src/store/keys/refusal-record.ts";
import { openPlaneContext, type PlaneContext, TESTER } from "../../support/plane-context.ts";
import { GARBAGE } from "../../support/strange-records.ts";

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
async function* requests(all: readonly BackupRecord[], options: MessageInitShape<typeof ReplaceOptionsSchema> = {}) {
  yield create(RestoreRequestSchema, { options: { replace: true, reason: "", ...options } });
  for (const record of all) yield create(RestoreRequestSchema, { records: [record] });
}

const restored = (all: readonly BackupRecord[], replace = true) => restore(plane, TESTER, requests(all, { replace }));
const services = () => Array.from(plane.mirror.all("service"), ({ name }) => name).sort();
const putRefusal = (nodeId: string) =>
  plane.store.commit({
    ops: [
      {
        op: "put",
        key: `${REFUSAL.keys}edge-1`,
        value: toBinary(RefusalMarksSchema, create(RefusalMarksSchema, { nodeId })),
      },
    ],
    cause: { actor: "", operation: "", reason: "", requestId: "" },
  });

const refusals = async () =>
  (await plane.store.read(REFUSAL.keys)).entries.map(({ value }) => fromBinary(RefusalMarksSchema, value).nodeId);

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

const SHOP = "projects/default/services/shop";
const SOUND = encodeStored("service", create(ServiceSchema, { name: "shop", meta: { uid: "u", generation: 1n } }));
const entry = (key: string, value: Uint8Array) => create(BackupEntrySchema, { key, value });
const copy = (more: MessageInitShape<typeof BackupCopySchema>) =>
  create(BackupCopySchema, { key: SHOP, slot: 0, generation: 1n, value: SOUND, revision: "1.1", ...more });
const journal = (more: MessageInitShape<typeof BackupJournalEntrySchema>) =>
  create(BackupJournalEntrySchema, { revision: "0.9", time: create(TimestampSchema, { seconds: 1n }), ...more });

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

  const cases: [what: string, damage: (all: BackupRecord[]) => BackupRecord[], error: object][] = [
    ["nothing", () => [], { code: "BAD_BACKUP", message: /ends too early/ }],
    ["no head", without("head"), { code: "BAD_BACKUP", message: /does not begin with a header/ }],
    ["no end", without("end"), { code: "BAD_BACKUP", message: /ends too early/ }],
    ["a missing entry", without("entry"), { code: "BAD_BACKUP", message: /parts of it are missing/ }],
    ["a missing copy", without("copy"), { code: "BAD_BACKUP", message: /parts of it are missing/ }],
    ["a missing journal", without("journal"), { code: "BAD_BACKUP", message: /parts of it are missing/ }],
    ["more after its end", (all) => [...all, ...all], { code: "BAD_BACKUP", message: /continues after its end/ }],
    [
      "no revision",
      (all) => [headOf(all, { revision: "x" }), ...without("head")(all)],
      { code: "BAD_BACKUP", message: /it contains "x", which is not a revision/ },
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
  const unreadable: [what: string, record: BackupRecord["record"], message: RegExp][] = [
    ["an object", { case: "entry", value: entry(SHOP, GARBAGE) }, /record 2, key projects.*shop: .*it does not decode/],
    ["a key", { case: "entry", value: entry("projects/-/services/x", GARBAGE) }, /key is not that of an object/],
    [
      "a key that no store takes",
      { case: "entry", value: entry("a b\u202e", GARBAGE) },
      /key a b\\u202e: .*is not a key/,
    ],
    [
      "a verdict of no known source",
      { case: "entry", value: entry(`${SHOP}/backends/a/health/foo`, GARBAGE) },
      /foo: /,
    ],
    [
      "a refusal mark",
      { case: "entry", value: entry("refusals/0", GARBAGE) },
      /it is not a valid record of what a proxy refused/,
    ],
    [
      "an account of collections",
      { case: "entry", value: entry(`leds/${SHOP}`, GARBAGE) },
      /it is not a valid account/,
    ],
    ["a share of checks", { case: "entry", value: entry("assign/a", GARBAGE) }, /it is not a valid share/],
    ["the encoding profile", { case: "entry", value: entry("system/version", GARBAGE) }, /it is not a valid statement/],
    ["a size", { case: "entry", value: entry(SHOP, new Uint8Array(1_000_001)) }, /has 1000001 bytes; at most 1000000/],
    ["an earlier content", { case: "copy", value: copy({ value: GARBAGE }) }, /earlier content 0 of projects.*decode/],
    ["a generation", { case: "copy", value: copy({ generation: -1n }) }, /it has no generation/],
    ["a place", { case: "copy", value: copy({ slot: 4_000_000 }) }, /its place 4000000 is beyond/],
    [
      "a time",
      { case: "journal", value: journal({ time: create(TimestampSchema, { seconds: 10n ** 15n }) }) },
      /its time is not within/,
    ],
    ["a journal key", { case: "journal", value: journal({ keys: ["a b"] }) }, /is not a key/],
    ["a request id", { case: "journal", value: journal({ requestId: "x".repeat(161) }) }, /more than 160 characters/],
  ];
  it.each(unreadable)("%s that cannot be read", async (_, record, message) => {
    await createService("pay");
    const all = await records();
    const counted = { entry: "entries", copy: "copies", journal: "journal" } as const;
    const poisoned = all.map((one) => {
      if (one.record.case !== "end") return one;
      const end = { ...one.record.value };
      end[counted[record.case as keyof typeof counted]] += 1n;
      return create(BackupRecordSchema, { record: { case: "end", value: end } });
    });
    poisoned.splice(1, 0, create(BackupRecordSchema, { record }));
    const error = await restored(poisoned).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: "invalid", code: "BACKUP_RECORD_UNREADABLE" });
    expect((error as Error).message).toMatch(message);
    expect((await plane.store.read("")).revision.epoch).toBe(1);

    const { leftOut } = await restore(plane, TESTER, requests(poisoned, { leaveOutUnreadable: true }));
    expect(leftOut).toEqual([expect.stringMatching(message)]);
    expect(services()).toEqual(["pay"]);
    expect([...plane.mirror.setAside.keys()]).toEqual([]);
  });

  it("what a newer release alone can read, also where what cannot be read is to be left out", async () => {
    const all = await records();
    for (const key of ["projects/default/certificates/c", "later/thing"]) {
      const strange = create(BackupRecordSchema, { record: { case: "entry", value: { key, value: GARBAGE } } });
      const poisoned = [all[0] as BackupRecord, strange, ...all.slice(1)];
      const refused = restore(plane, TESTER, requests(poisoned, { leaveOutUnreadable: true }));
      await expect(refused).rejects.toMatchObject({ code: "WRITTEN_BY_NEWER_RELEASE" });
    }
  });

  it("a key, a place or a request id that is there twice", async () => {
    await createService("pay");
    const all = await records();
    for (const of of ["entry", "copy", "journal"] as const) {
      const twice = all.flatMap((one) => (isOf(of)(one) ? [one, one] : [one]));
      await expect(restored(twice)).rejects.toThrow(/occurs twice|parts of it are missing/);
    }
  });

  it.each(cases)("%s", async (_, damage, { message, ...expected }: { message?: RegExp }) => {
    await createService("shop");
    const all = damage(await records());
    await createService("pay");
    const { entries, revision } = await plane.store.read("");
    const error = await restored(all).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject(expected);
    expect((error as Error).message).toMatch(message ?? /never/);
    expect(await plane.store.read("")).toEqual({ entries, revision });
    expect(services()).toEqual(["pay", "shop"]);
  });
});
