import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planAssign, workerOf } from "../../../src/duties/assign.ts";

const workers = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1, maxLength: 8 });
const backends = Array.from({ length: 300 }, (_, i) => `service-${i % 7}/backend-${i}`);

describe("rendezvous assignment", () => {
  it("gives every backend to exactly one live worker, in whatever order they are listed", () => {
    fc.assert(
      fc.property(workers, (live) => {
        for (const backend of backends) {
          const owner = workerOf(backend, { workers: live });
          expect(live).toContain(owner);
          expect(workerOf(backend, { workers: live.toReversed() })).toBe(owner);
        }
      }),
    );
  });

  it("moves only the share of the worker that left", () => {
    fc.assert(
      fc.property(workers, fc.nat(), (live, pick) => {
        const gone = live[pick % live.length];
        const left = live.filter((worker) => worker !== gone);
        const moved = backends.filter((backend) => {
          const before = workerOf(backend, { workers: live });
          return before !== gone && workerOf(backend, { workers: left }) !== before;
        });
        expect(moved).toEqual([]);
      }),
    );
  });

  it("shares evenly", () => {
    const live = ["plane-a", "plane-b", "plane-c", "plane-d"];
    const shares = new Map<string, number>();
    for (let i = 0; i < 10_000; i++) {
      const owner = workerOf(`shop/shop-${i}`, { workers: live }) ?? "";
      shares.set(owner, (shares.get(owner) ?? 0) + 1);
    }
    for (const worker of live) {
      expect(shares.get(worker)).toBeGreaterThan(2300);
      expect(shares.get(worker)).toBeLessThan(2700);
    }
  });

  it("plans nothing twice", () => {
    fc.assert(
      fc.property(workers, workers, (before, live) => {
        const current = { workers: before.toSorted(), round: 1 };
        const next = planAssign(current, live);
        if (next !== undefined) expect(next).toEqual({ workers: live.toSorted(), round: 2 });
        expect(planAssign(next ?? current, live)).toBeUndefined();
      }),
    );
  });

  it("keeps the shares while no worker lives", () => {
    expect(planAssign({ workers: ["plane-a"], round: 1 }, [])).toBeUndefined();
  });
});
