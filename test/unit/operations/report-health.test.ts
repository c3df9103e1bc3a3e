import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { planExpire } from "../../../src/duties/expire.ts";
import { BackendSchema, HealthSchema, Health_Status as Status } from "../../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { ServiceSchema } from "../../../src/gen/fairlead/admin/v1/service_pb.ts";
import { clearHealth } from "../../../src/operations/membership/clear-health.ts";
import { registerBackend } from "../../../src/operations/membership/register-backend.ts";
import { reportHealth } from "../../../src/operations/membership/report-health.ts";
import { SeenObservations } from "../../../src/operations/membership/seen-observations.ts";
import { unregisterBackend } from "../../../src/operations/membership/unregister-backend.ts";
import { createObject } from "../../../src/operations/objects/create-object.ts";
import { getObject } from "../../../src/operations/objects/get-object.ts";
import { openPlaneContext, type PlaneContext, TESTER } from "../../support/plane-context.ts";

let plane: PlaneContext;
let seen: SeenObservations;

const registerA = () =>
  registerBackend(plane, TESTER, {
    backend: create(BackendSchema, { name: "shop/a", target: { case: "address", value: "10.0.0.1:80" } }),
    expectedVersion: "",
  });
const report = ({ ttlMs, ...fields }: MessageInitShape<typeof HealthSchema> & { readonly ttlMs?: number }) =>
  reportHealth({ ...plane, seen }, TESTER, {
    ...(ttlMs !== undefined && { ttl: durationFromMs(ttlMs) }),
    health: create(HealthSchema, { backend: "shop/a", source: "reporter:x", status: Status.UNHEALTHY, ...fields }),
    allowRemoval: true,
  });
const stored = () => plane.mirror.get("health", "shop/a/reporter:x");

beforeEach(async () => {
  plane = await openPlaneContext();
  seen = new SeenObservations(plane);
  await createObject(plane, TESTER, {
    kind: "service",
    message: create(ServiceSchema, { name: "shop" }),
    options: undefined,
  });
  await registerA();
});
afterEach(() => plane.close());

test("a verdict is stored with who gave it and which backend was seen", async () => {
  const { changed, health } = await report({ reason: "HTTP 503", sequence: 4n });
  expect(changed).toBe(true);
  const uid = plane.mirror.get("backend", "shop/a")?.meta.uid;
  expect(health).toMatchObject({ actor: "test:alice", backendUid: uid, sequence: 4n });
  expect((await getObject(plane, "backend", "shop/a")).status).toMatchObject({ eligible: false, reason: "unhealthy" });
});

test("the same verdict again is not written", async () => {
  const first = await report({ sequence: 1n });
  expect(await report({ sequence: 2n })).toMatchObject({ changed: false, revision: first.revision });
});

describe("law 3, order: an observation that is not newer never wins", () => {
  test("not against the stored one", async () => {
    await report({ sequence: 5n });
    for (const sequence of [5n, 4n, 0n]) {
      await expect(report({ sequence, status: Status.HEALTHY })).rejects.toMatchObject({
        kind: "conflict",
        code: "OBSERVATION_NOT_NEWER",
      });
    }
    expect(stored()?.status).toBe("UNHEALTHY");
  });

  test("nor against one that said the same as the stored one", async () => {
    await report({ sequence: 5n });
    await report({ sequence: 10n });
    await expect(report({ sequence: 7n, status: Status.HEALTHY })).rejects.toMatchObject({
      code: "OBSERVATION_NOT_NEWER",
    });
  });

  test("nor against one that said the same to another replica", async () => {
    await report({ sequence: 5n });
    const uid = plane.mirror.get("backend", "shop/a")?.meta.uid ?? "";
    let answer: Parameters<typeof plane.peers.answer>[1] = () => Promise.reject(new Error("nobody answers"));
    const there = new SeenObservations({
      mirror: plane.mirror,
      peers: {
        ask: async () => [],
        answer: (_, handler) => {
          answer = handler;
          return () => {};
        },
      },
    });
    const message = plane.mirror.stored("health", "shop/a/reporter:x")?.message;
    if (message !== undefined) there.note(message, 10n);
    const ask = async (_: string, question: Uint8Array) => [
      { replica: "plane-b", answer: await answer(question, "plane-a") },
      { replica: "plane-c", answer: undefined },
    ];
    seen = new SeenObservations({ mirror: plane.mirror, peers: { ask, answer: () => () => {} } });
    expect(await seen.newestElsewhere("shop/a/reporter:x", uid)).toBe(10n);
    expect(await seen.newestElsewhere("shop/a/reporter:x", "another")).toBe(0n);
    await expect(report({ sequence: 7n, status: Status.HEALTHY })).rejects.toMatchObject({
      code: "OBSERVATION_NOT_NEWER",
    });
    expect(await report({ sequence: 11n, status: Status.HEALTHY })).toMatchObject({ changed: true });
  });

  test("each source has an order of its own", async () => {
    await report({ sequence: 5n });
    const other = await report({ sequence: 1n, source: "reporter:y", status: Status.HEALTHY });
    expect(other.changed).toBe(true);
  });

  test("an observation of an earlier backend is dropped", async () => {
    const uid = plane.mirror.get("backend", "shop/a")?.meta.uid ?? "";
    await unregisterBackend(plane, TESTER, { name: "shop/a", expectedVersion: "", allowRemoval: true });
    await registerA();
    await expect(report({ backendUid: uid, sequence: 99n })).rejects.toMatchObject({
      kind: "conflict",
      code: "OBSERVED_EARLIER_BACKEND",
    });
    expect(await report({ sequence: 1n })).toMatchObject({ changed: true });
  });
});

test("unregistering a backend removes its verdicts", async () => {
  await report({});
  await unregisterBackend(plane, TESTER, { name: "shop/a", expectedVersion: "", allowRemoval: true });
  expect([...plane.mirror.all("health")]).toEqual([]);
});

test("a verdict is taken back by its source", async () => {
  await report({});
  const withdrawal = { backend: "shop/a", source: "reporter:x", allowRemoval: true };
  await clearHealth(plane, TESTER, withdrawal);
  expect(stored()).toBeUndefined();
  await expect(clearHealth(plane, TESTER, withdrawal)).rejects.toMatchObject({ code: "HEALTH_NOT_FOUND" });
});

describe("an override", () => {
  test("beats the other sources, and may end by itself", async () => {
    await report({});
    await report({ source: "override", status: Status.HEALTHY, ttlMs: 3_600_000 });
    expect((await getObject(plane, "backend", "shop/a")).status).toMatchObject({ eligible: true });
  });

  test("ends to the millisecond", async () => {
    vi.spyOn(plane.store, "now").mockReturnValue(5000);
    await report({ source: "override", ttlMs: 3_600_000 });
    expect(plane.mirror.get("health", "shop/a/override")?.expiresAt).toBe(3_605_000);
  });
});

describe("a report with a ttl", () => {
  const at = (second: number) => vi.spyOn(plane.store, "now").mockReturnValue(second * 1000);
  const due = (second: number) => planExpire(plane.mirror, second * 1000).due.map(({ source }) => source);

  test("counts for no less than that from the last repetition, and is written once in a while only", async () => {
    let writes = 0;
    for (let second = 0; second <= 300; second += 5) {
      at(second);
      const { changed } = await report({ sequence: BigInt(second + 1), ttlMs: 30_000 });
      writes += changed ? 1 : 0;
      expect(due(second + 29.999)).toEqual([]);
    }
    expect(writes).toBe(1 + 300 / 20);
    expect(due(300 + 45)).toEqual(["reporter:x"]);
  });

  test("takes another ttl at once", async () => {
    at(0);
    await report({ ttlMs: 3_600_000 });
    expect(await report({ ttlMs: 10_000 })).toMatchObject({ changed: true });
    expect(due(15)).toEqual(["reporter:x"]);
    expect(await report({})).toMatchObject({ changed: true });
    expect(due(1_000_000)).toEqual([]);
  });
});

test("the end of a verdict follows from its ttl, and cannot be given", async () => {
  await expect(report({ expireTime: timestampFromMs(2e12) })).rejects.toMatchObject({ code: "INVALID_FIELD" });
});

test.each([0, -1000, 999, 30 * 24 * 3_600_000 + 1])("a ttl of %i ms is refused", async (ttlMs) => {
  await expect(report({ ttlMs })).rejects.toMatchObject({
    code: "INVALID_FIELD",
    message: expect.stringContaining("ttl"),
  });
});

test.each([
  [{ backend: "shop/nobody" }, "BACKEND_NOT_FOUND"],
  [{ backend: "shop" }, "INVALID_FIELD"],
  [{ source: "prober" }, "INVALID_FIELD"],
  [{ source: "me" }, "INVALID_FIELD"],
  [{ status: Status.STATUS_UNSPECIFIED }, "INVALID_FIELD"],
  [{ status: 9 as Status }, "INVALID_FIELD"],
  [{ reason: "x".repeat(300) }, "INVALID_FIELD"],
])("%j is refused as %s", async (fields, code) => {
  await expect(report(fields)).rejects.toMatchObject({ code });
});
