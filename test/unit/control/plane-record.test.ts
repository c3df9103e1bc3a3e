import { create, toBinary } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Mirror } from "../../../src/control/mirror.ts";
import { recordPlane } from "../../../src/control/record-plane.ts";
import { backendJudge } from "../../../src/domain/backend-networks.ts";
import { planForgetPlanes } from "../../../src/duties/forget-planes.ts";
import { PlaneRecordSchema } from "../../../src/gen/fairlead/store/v1/plane_record_pb.ts";
import { silentLogger } from "../../../src/runtime/logger.ts";
import { readForm } from "../../../src/store/keys/record-form.ts";
import { RECORDS } from "../../../src/store/keys/records.ts";
import type { Batch } from "../../../src/store/state-store.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const ADDRESSES = [
  { ip: "10.0.0.5", port: 18000 },
  { ip: "2001:db8::1", port: 18001 },
];
const DAY = 86_400_000;

describe("the record of a plane", () => {
  test("reads as it was written", () => {
    expect(readForm(RECORDS.plane, RECORDS.plane.encode({ addresses: ADDRESSES, at: 5000 }))).toEqual({
      addresses: ADDRESSES,
      at: 5000,
    });
  });

  test("of any bytes is some addresses or nothing, and never an error", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        for (const { ip } of readForm(RECORDS.plane, bytes)?.addresses ?? []) expect(ip).not.toBe("");
      }),
    );
  });

  test("holds IP literals only, so that whoever judges by them cannot fail", () => {
    const texts = ["1:80", "0x7f.1.1.1:80", "plane:80", "[1.2.3.4]:80", "10.0.0.5:80", "[::1]:80", ""];
    const bytes = toBinary(PlaneRecordSchema, create(PlaneRecordSchema, { addresses: texts }));
    const addresses = readForm(RECORDS.plane, bytes)?.addresses ?? [];
    expect(addresses.map(({ ip }) => ip)).toEqual(["1.2.3.4", "10.0.0.5", "::1"]);
    backendJudge([], addresses);
  });

  test("that is no record counts for nothing, and others stay", () => {
    const mirror = new Mirror();
    const write = (position: number, replica: string, value: Uint8Array | undefined) => {
      const revision = { epoch: 1, position };
      mirror.fold({ kind: "commit", revision, at: 0, changes: [{ key: RECORDS.plane.key(replica), value, revision }] });
    };
    write(1, "a", RECORDS.plane.encode({ addresses: ADDRESSES, at: 0 }));
    const before = mirror.planeAddresses;
    expect(before).toEqual(ADDRESSES);
    write(2, "b", Uint8Array.of(255, 255));
    write(3, "b", RECORDS.plane.encode({ addresses: ADDRESSES.slice(0, 1), at: 7 }));
    expect(mirror.planeAddresses).toBe(before);
    expect(mirror.setAside.size).toBe(0);
    write(4, "a", undefined);
    expect(mirror.planeAddresses).toEqual(ADDRESSES.slice(0, 1));
    mirror.fold({ kind: "state", entries: [], revision: { epoch: 2, position: 0 }, synced: true });
    expect(mirror.planeAddresses).toEqual([]);
  });
});

describe("a plane that records where it listens", () => {
  function start() {
    const mirror = new Mirror();
    const clock = new FakeClock();
    const batches: Batch[] = [];
    let refuses = false;
    let position = 0;
    const fold = (epoch: number, value: Uint8Array | undefined) => {
      const revision = { epoch, position: ++position };
      mirror.fold({ kind: "commit", revision, at: 0, changes: [{ key: RECORDS.plane.key("a"), value, revision }] });
    };
    const store = {
      now: () => clock.now(),
      commit: async (batch: Batch) => {
        if (refuses) throw new Error("away");
        batches.push(batch);
        const [op] = batch.ops;
        if (op?.op === "put") fold(mirror.revision.epoch, op.value);
        return { revision: mirror.revision, at: 0 };
      },
    };
    fold(1, undefined);
    const options = { mirror, store, clock, log: silentLogger, replica: "a", addresses: ADDRESSES };
    return { options, clock, batches, fold, refuse: (value: boolean) => (refuses = value) };
  }

  test("does so once, again in another epoch, and again when its record is gone", async () => {
    const { options, clock, batches, fold } = start();
    const recording = recordPlane(options);
    await clock.advance(10_000);
    expect(batches).toHaveLength(1);
    fold(1, RECORDS.plane.encode({ addresses: [], at: 0 }));
    await clock.advance(10_000);
    // That is a plane of the same name: the two do not fight over it.
    expect(batches).toHaveLength(1);
    fold(1, undefined);
    await clock.advance(10_000);
    expect(batches).toHaveLength(2);
    fold(2, RECORDS.plane.encode({ addresses: [], at: 0 }));
    await clock.advance(10_000);
    expect(batches).toHaveLength(3);
    recording.stop();
    fold(2, undefined);
    await clock.advance(10_000);
    expect(batches).toHaveLength(3);
  });

  test("tries again while the store is away", async () => {
    const { options, clock, batches, refuse } = start();
    refuse(true);
    recordPlane(options);
    await clock.advance(5000);
    refuse(false);
    await clock.advance(1000);
    expect(batches).toHaveLength(1);
  });
});

describe("records of replicas that are gone", () => {
  const planes = (...all: [string, number][]) =>
    new Map(all.map(([replica, at]) => [replica, { addresses: ADDRESSES, at }]));

  test("are kept for a day, and those of live ones for ever", () => {
    expect(planForgetPlanes(planes(["a", 0], ["b", 0]), ["a"], DAY - 1)).toEqual([]);
    expect(planForgetPlanes(planes(["a", 0], ["b", 0]), ["a"], DAY)).toEqual(["planes/b"]);
  });

  test("are bounded in number; the oldest go", () => {
    const many = Array.from({ length: 200 }, (_, i): [string, number] => [`r${i}`, i]);
    const gone = planForgetPlanes(planes(...many), ["r0"], 1000);
    expect(gone).toHaveLength(200 - 1 - 128);
    expect(gone).toContain("planes/r1");
    expect(gone).not.toContain("planes/r0");
    expect(gone).not.toContain("planes/r199");
  });
});
