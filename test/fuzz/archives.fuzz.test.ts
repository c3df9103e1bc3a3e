import { create, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AdminService } from "../../src/gen/fairlead/admin/v1/admin_pb.ts";
import {
  type BackupRecord,
  BackupRecordSchema,
  ImportRequestSchema,
  RestoreRequestSchema,
} from "../../src/gen/fairlead/admin/v1/archive_pb.ts";
import { ADMIN, TestClient } from "../support/admin-client.ts";
import { type Attack, CAMPAIGN_TIMEOUT_MS, campaign } from "./campaign.ts";
import { type FuzzedPlane, startFuzzedPlane } from "./fuzzed-plane.ts";
import { mutateBytes } from "./mutate-bytes.ts";
import { mutateMessage } from "./mutate-message.ts";
import { storedBytes } from "./stored-bytes.ts";

let fuzzed: FuzzedPlane;
let client: TestClient;
let backup: BackupRecord[];

beforeAll(async () => {
  fuzzed = await startFuzzedPlane();
  client = new TestClient(fuzzed.plane.addresses.admin);
  backup = [];
  for await (const { records } of client.stream(ADMIN.backup, {})) backup.push(...records);
});

afterAll(async () => {
  client?.close();
  await fuzzed?.[Symbol.asyncDispose]();
});

/** Offers an archive, which may be taken where its records are such as a plane may write; then the true one again. */
const restore = async (records: readonly BackupRecord[]) => {
  for (const offered of [records, backup]) {
    const request = create(RestoreRequestSchema, { options: { replace: true }, records: [...offered] });
    await client.talk(AdminService.method.restore, [toBinary(RestoreRequestSchema, request)], { leaveAfterMs: 5000 });
  }
};

const mutated: Attack = {
  name: "a backup with mutated records",
  weight: 5,
  run: async (chance) => {
    const records = backup.map((record) => {
      const copy = structuredClone(record);
      if (chance.happens(20)) mutateMessage(BackupRecordSchema, copy, chance);
      return copy;
    });
    await restore(records);
  },
};

const poisoned: Attack = {
  name: "a backup with records that no plane wrote, and the right counts",
  weight: 5,
  run: async (chance) => {
    const entries = backup.flatMap(({ record }) => (record.case === "entry" ? [record.value] : []));
    const added = Array.from({ length: 3 }, () =>
      create(BackupRecordSchema, { record: { case: "entry", value: storedBytes(entries, chance) } }),
    );
    const records = [...backup.slice(0, -1), ...added, ...backup.slice(-1)].map((record) => structuredClone(record));
    const end = records.at(-1)?.record;
    if (end?.case === "end") end.value.entries += BigInt(added.length);
    await restore(records);
  },
};

const bytes: Attack = {
  name: "restore and import requests of mutated bytes",
  weight: 5,
  run: async (chance) => {
    const request = toBinary(RestoreRequestSchema, create(RestoreRequestSchema, { records: backup }));
    const imported = toBinary(ImportRequestSchema, create(ImportRequestSchema, { options: { validateOnly: true } }));
    const { restore: restoreMethod, import: importMethod } = AdminService.method;
    await client.talk(restoreMethod, [mutateBytes(request, chance)], { leaveAfterMs: 2000 });
    await client.talk(importMethod, [mutateBytes(imported, chance)], { leaveAfterMs: 2000 });
  },
};

const unfinished: Attack = {
  name: "uploads that do not end",
  run: async () => {
    const request = toBinary(RestoreRequestSchema, create(RestoreRequestSchema, { records: backup.slice(0, 2) }));
    const streams = Array.from({ length: 20 }, () =>
      client.talk(AdminService.method.restore, [request], { leaveAfterMs: 300, ends: false }),
    );
    await Promise.all(streams);
  },
};

test(
  "no archive ends a plane or leaves it with what it cannot read",
  async () => {
    await campaign(fuzzed, [mutated, poisoned, bytes, unfinished]);
    expect(await fuzzed.plane.mustCli("status")).not.toMatch(/stored (?:object|record)/);
    await fuzzed.memoryReturns();
  },
  CAMPAIGN_TIMEOUT_MS,
);
