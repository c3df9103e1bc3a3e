import fc from "fast-check";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { connectionShares, watchDescriptors } from "../../../src/runtime/descriptors.ts";
import { silentLogger } from "../../../src/runtime/logger.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const WANTED = { http: 128, admin: 1_000, xds: Number.POSITIVE_INFINITY };

test("the ports together leave descriptors for everything else, and each has some", () => {
  fc.assert(
    fc.property(fc.integer({ min: 64, max: 2 ** 21 }), (limit) => {
      const { http, admin, xds } = connectionShares(limit, WANTED);
      expect(http + admin + xds).toBeLessThanOrEqual(limit - Math.min(1_536, Math.floor(limit / 2)));
      for (const share of [http, admin, xds]) expect(share).toBeGreaterThan(0);
      expect(http).toBeLessThanOrEqual(WANTED.http);
      expect(admin).toBeLessThanOrEqual(WANTED.admin);
    }),
  );
});

test("where the system tells no limit, nothing is lowered", () => {
  expect(connectionShares(undefined, WANTED)).toEqual(WANTED);
});

test("descriptors that are used up are counted and said, and no more once there are some again", async () => {
  const clock = new FakeClock();
  const registry = new Registry();
  let code: string | undefined;
  const open = () => {
    if (code !== undefined) throw Object.assign(new Error(code), { code });
  };
  const watch = watchDescriptors(1024, { clock, log: silentLogger, registry }, open);
  const counted = async () => (await registry.getSingleMetricAsString("fairlead_descriptors_exhausted_total")) ?? "";
  expect(await counted()).toMatch(/ 0$/);
  await clock.advance(1_500);
  expect(watch.findings()).toEqual([]);
  code = "EMFILE";
  await clock.advance(2_000);
  expect(watch.findings()).toMatchObject([
    { since: 1_000_000_002_000, why: expect.stringContaining("its limit of 1024") },
  ]);
  expect(await counted()).toMatch(/ 2$/);
  code = undefined;
  await clock.advance(1_000);
  expect(watch.findings()).toEqual([]);
  watch.stop();
});

test("what else is wrong with the file is not taken for it", async () => {
  const clock = new FakeClock();
  const open = () => {
    throw Object.assign(new Error("gone"), { code: "ENOENT" });
  };
  const watch = watchDescriptors(1024, { clock, log: silentLogger, registry: new Registry() }, open);
  await clock.advance(3_000);
  expect(watch.findings()).toEqual([]);
  watch.stop();
});
