import { expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { manifest, service } from "../support/manifest.ts";
import { administer, startNats } from "../support/nats.ts";
import { type Plane, startPlane } from "../support/plane.ts";
import { metricOf, problemsOf, readinessOf } from "../support/plane-health.ts";

const STREAM = "KV_fairlead";

test("a bucket that lost its copies while a plane runs is told, and works on", async () => {
  await using nats = await startNats({ size: 3 });
  await using plane = await startPlane({ nats: nats.urls });
  expect(await problemsOf(plane)).toEqual([]);
  await administer(nats, (api) => api.streams.update(STREAM, { num_replicas: 1 }));
  await problemIs(plane, /KV_fairlead has num_replicas 1, but needs 3; run `fairlead provision/);
  expect(await metricOf(plane, "fairlead_store_fault")).toBe(1);
  expect(plane.log()).toContain("something is wrong with a bucket");
  expect(await readinessOf(plane)).toMatchObject({ status: 200 });
  await plane.mustApply(manifest(service("shop")));

  await administer(nats, (api) => api.streams.update(STREAM, { num_replicas: 3 }));
  await eventually(
    () => problemsOf(plane),
    (problems) => problems.every(({ what }) => !what.startsWith("store")),
    { what: "the problem is over", timeoutMs: 30_000 },
  );
});

test("a bucket that is deleted, and one that is put in its place, are told; nothing is taken from either", async () => {
  await using nats = await startNats({ size: 1 });
  await using plane = await startPlane({ nats: nats.urls, replica: "first" });
  await plane.mustApply(manifest(service("shop")));
  await administer(nats, (api) => api.streams.delete(STREAM));
  await problemIs(plane, /stream KV_fairlead no longer exists/);
  expect(await readinessOf(plane)).toMatchObject({ status: 503 });
  expect((await plane.apply(manifest(service("pay")))).code).toBe(6);

  await using other = await startPlane({ nats: nats.urls, replica: "second" });
  await other.mustApply(manifest(service("other")));
  await problemIs(plane, /was replaced, or went back, without a new epoch/);
  expect(await metricOf(plane, "fairlead_store_frozen")).toBe(1);
  const write = await plane.apply(manifest(service("pay")));
  expect(write.code).toBe(1);
  expect(write.stderr).toContain("restore a backup");
  expect(await plane.mustCli("get", "services")).toContain("shop");
  expect(await plane.mustCli("get", "services")).not.toContain("other");
});

async function problemIs(plane: Plane, why: RegExp): Promise<void> {
  await eventually(
    () => problemsOf(plane),
    (problems) => problems.some((problem) => why.test(problem.why)),
    { what: `the status tells that ${why.source}`, timeoutMs: 30_000 },
  );
}
