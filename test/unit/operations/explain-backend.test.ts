import { setTimeout } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, it } from "vitest";
import { explainedBackendMessage } from "../../../src/api/backend-message.ts";
import { Health_Status, HealthSchema } from "../../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { completeDrain } from "../../../src/operations/membership/complete-drain.ts";
import { drainBackend } from "../../../src/operations/membership/drain-backend.ts";
import { registerBackend } from "../../../src/operations/membership/register-backend.ts";
import { reportHealth } from "../../../src/operations/membership/report-health.ts";
import { SeenObservations } from "../../../src/operations/membership/seen-observations.ts";
import { createObject } from "../../../src/operations/objects/create-object.ts";
import { getObject } from "../../../src/operations/objects/get-object.ts";
import { updateObject } from "../../../src/operations/objects/update-object.ts";
import { explainBackend } from "../../../src/operations/observing/explain-backend.ts";
import { messageFromJson } from "../../../src/schema/object-json.ts";
import { openPlaneContext, type PlaneContext, TESTER } from "../../support/plane-context.ts";

let plane: PlaneContext;

beforeEach(async () => {
  plane = await openPlaneContext();
  const service = messageFromJson("service", { name: "shop", drainTime: "30s", healthCheck: { http: {} } });
  const backend = messageFromJson("backend", { name: "shop/a", address: "10.0.0.1:80" });
  if (!service.ok || !backend.ok) throw new Error("the manifests are right");
  await createObject(plane, TESTER, { kind: "service", message: service.message, options: undefined });
  await registerBackend(plane, TESTER, { backend: backend.message, expectedVersion: "" });
});
afterEach(() => plane.close());

const report = (source: string, status: Health_Status) =>
  reportHealth({ ...plane, seen: new SeenObservations(plane) }, TESTER, {
    health: create(HealthSchema, { backend: "shop/a", source, status, reason: "disk full" }),
    allowRemoval: true,
  });

it("tells why a backend gets nothing, the decisive source first", async () => {
  await report("reporter:b", Health_Status.HEALTHY);
  await report("reporter:c", Health_Status.UNHEALTHY);
  const { backend, verdicts, panicThreshold, proxies } = await explainBackend(plane, "shop/a");
  expect(backend?.status).toMatchObject({ eligible: false, reason: "unhealthy" });
  expect(verdicts.map(({ health, counts }) => [health?.source, counts])).toEqual([
    ["reporter:c", true],
    ["reporter:b", true],
  ]);
  expect({ panicThreshold, proxies: proxies.proxies }).toEqual({ panicThreshold: 0, proxies: 0 });
});

it("tells that a check is pending", async () => {
  const { backend, healthCheck } = await explainBackend(plane, "shop/a");
  expect(backend?.status).toMatchObject({ eligible: false, reason: "pending" });
  expect(healthCheck?.probe.case).toBe("http");
});

it("tells when a draining backend will be removed", async () => {
  await drainBackend(plane, TESTER, { name: "shop/a", undo: false, expectedVersion: "", allowRemoval: true });
  const { backend, removalTime } = explainedBackendMessage(await explainBackend(plane, "shop/a"));
  expect(Number(removalTime?.seconds) - Number(backend?.drainTime?.seconds)).toBe(30);
});

it("refuses a backend that is not there", async () => {
  await expect(explainBackend(plane, "shop/none")).rejects.toMatchObject({ code: "BACKEND_NOT_FOUND" });
});

it("tells the newest checks and who carries them out", async () => {
  const checks = [{ at: 5000, outcome: "fail", reason: "HTTP 503", durationMs: 2 }] as const;
  const underWay = { findings: () => [], stale: () => new Map(), recent: async () => ({ worker: "plane-b", checks }) };
  const told = explainedBackendMessage(await explainBackend({ ...plane, checks: underWay }, "shop/a"));
  expect(told).toMatchObject({
    checkedBy: "plane-b",
    checks: [{ outcome: Health_Status.UNHEALTHY, reason: "HTTP 503", took: { nanos: 2_000_000 } }],
  });
});

it("shows on the service that its checks are stale", async () => {
  const stale = new Map([["shop", { backends: 1, since: 5000 }]]);
  const underWay = { findings: () => [], stale: () => stale, recent: async () => undefined };
  expect((await getObject({ ...plane, checks: underWay }, "service", "shop")).conditions).toMatchObject([
    {
      type: "Checked",
      ok: false,
      reason: "ChecksStale",
      message: expect.stringContaining("1 of its backends has not"),
    },
  ]);
  expect((await getObject(plane, "service", "shop")).conditions).toEqual([]);
});

it("completes a drain, and only a drain", async () => {
  const request = { name: "shop/a", expectedVersion: "" };
  await expect(completeDrain(plane, TESTER, request)).rejects.toMatchObject({ code: "BACKEND_NOT_DRAINING" });
  await drainBackend(plane, TESTER, { name: "shop/a", undo: false, expectedVersion: "", allowRemoval: true });
  await completeDrain(plane, TESTER, request);
  expect(plane.mirror.get("backend", "shop/a")).toBeUndefined();
  await expect(completeDrain(plane, TESTER, request)).rejects.toMatchObject({ code: "BACKEND_NOT_FOUND" });
});

it("keeps what serves in rotation when its service gets a check, and lets new backends prove themselves", async () => {
  const put = async (id: string, address: string, check: object) => {
    const service = messageFromJson("service", { name: "pay", ...check });
    const backend = messageFromJson("backend", { name: `pay/${id}`, address: `${address}:80` });
    if (!service.ok || !backend.ok) throw new Error("the manifests are right");
    const write = plane.mirror.get("service", "pay") === undefined ? createObject : updateObject;
    await write(plane, TESTER, { kind: "service", message: service.message, expectedVersion: "", options: undefined });
    await setTimeout(2);
    await registerBackend(plane, TESTER, { backend: backend.message, expectedVersion: "" });
  };
  await put("old", "10.0.1.1", {});
  await setTimeout(2);
  await put("new", "10.0.1.2", { healthCheck: { tcp: {} } });
  expect((await explainBackend(plane, "pay/old")).backend?.status?.eligible).toBe(true);
  expect((await explainBackend(plane, "pay/new")).backend?.status?.reason).toBe("pending");
});
