import fc from "fast-check";
import { expect, test } from "vitest";
import { leastSquares } from "../../../bench/growth/least-squares.ts";
import { type Fleet, MAX_CORE_SHARE, MAX_PROXIES, sizeFleet } from "../../../bench/growth/sizing.ts";

test("finds the costs that sums were made of, however different their sizes", () => {
  const cost = fc.double({ min: 0.001, max: 1_000, noNaN: true });
  fc.assert(
    fc.property(cost, cost, cost, (base, perProxy, perBackend) => {
      const counts = [100, 1_000, 10_000].flatMap((proxies) => [10, 50_000].map((backends) => [1, proxies, backends]));
      const values = counts.map(([one = 0, p = 0, b = 0]) => one * base + p * perProxy + b * perBackend);
      const found = leastSquares(counts, values);
      for (const [i, sum] of values.entries()) {
        const explained = (counts[i] ?? []).reduce((total, count, j) => total + count * (found[j] ?? 0), 0);
        expect(explained / sum).toBeCloseTo(1, 6);
      }
    }),
  );
});

test("explains nothing by a cost below zero", () => {
  const found = leastSquares(
    [
      [1, 1],
      [1, 2],
      [1, 3],
    ],
    [3, 2, 1],
  );
  for (const cost of found) expect(cost).toBeGreaterThanOrEqual(0);
});

const COSTS = {
  cpuMsPerChange: 2,
  cpuUsPerBackendOfChange: 1,
  cpuUsPerPush: 40,
  cpuUsPerPushedKb: 0.2,
  kbPerMessage: 0.3,
  kbPerEndpoint: 0.03,
  connectCpuMs: 1,
  connectCpuUsPerResource: 5,
  baseMb: 100,
  kbPerBackend: 4,
  kbPerService: 5,
  kbPerProxy: 50,
  kbPerProxyAndResource: 0.01,
};
const FLEET: Fleet = { proxies: 100, services: 10, backends: 100, servicesPerProxy: 10, changesPerSecond: 1 };

test("a small fleet needs one replica and one that takes over", () => {
  const { replicas, proxies, coreShare } = sizeFleet(FLEET, COSTS);
  expect({ replicas, proxies }).toEqual({ replicas: 2, proxies: 100 });
  // 2 ms, 10 backends and 100 pushes of 0.6 KB.
  expect(coreShare).toBeCloseTo((2 + (10 + 100 * (40 + 0.2 * 0.6)) / 1000) / 1000, 9);
});

test("no replica gets more than it can do, whatever the fleet", () => {
  const count = (max: number) => fc.integer({ min: 1, max });
  fc.assert(
    fc.property(count(200_000), count(1_000), count(50), (proxies, services, changesPerSecond) => {
      const fleet = { ...FLEET, proxies, services, servicesPerProxy: services, changesPerSecond };
      const sizing = sizeFleet(fleet, COSTS);
      expect(sizing.coreShare).toBeLessThanOrEqual(MAX_CORE_SHARE);
      expect(sizing.proxies).toBeLessThanOrEqual(MAX_PROXIES);
      expect(sizing.proxies * (sizing.replicas - 1)).toBeGreaterThanOrEqual(proxies);
    }),
  );
});

test("more changes than one replica follows at all are refused, not sized", () => {
  expect(() => sizeFleet({ ...FLEET, changesPerSecond: 10_000 }, COSTS)).toThrow("keeps up");
});
