import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addFlap, DEFAULT_DAMPING, isHeld, NO_DAMPING, penaltyAt } from "../../../src/domain/damping.ts";
import { endHold, isTurning, judge, type Observation, startJudging } from "../../../src/domain/health-verdict.ts";
import { countObservation, startStreak } from "../../../src/domain/health-verdict-streak.ts";
import { TurningBackends } from "../../../src/domain/mass-failure.ts";

const othersServe = () => true;
const thresholds = fc.record({ unhealthy: fc.integer({ min: 1, max: 5 }), healthy: fc.integer({ min: 1, max: 5 }) });
const outcomes = fc.array(fc.constantFrom("pass", "fail"), { maxLength: 60 });
const start = fc.constantFrom("PENDING", "HEALTHY", "UNHEALTHY");

/** The rule in its plainest form: look back over everything that was ever seen. */
function oracle(seen: readonly string[], from: string, { unhealthy, healthy }: { unhealthy: number; healthy: number }) {
  let status = from;
  for (let end = 1; end <= seen.length; end++) {
    const allOf = (outcome: string, count: number) =>
      end >= count && seen.slice(end - count, end).every((one) => one === outcome);
    if (allOf("fail", unhealthy)) status = "UNHEALTHY";
    if (allOf("pass", healthy)) status = "HEALTHY";
  }
  return status;
}

describe("the verdict engine", () => {
  it("agrees with a look back over all observations", () => {
    fc.assert(
      fc.property(outcomes, start, thresholds, (seen, from, limits) => {
        let streak = startStreak(from);
        for (const outcome of seen) streak = countObservation(streak, outcome, limits);
        expect(streak.status).toBe(oracle(seen, from, limits));
      }),
    );
  });

  it("gives a verdict only when it differs from the one before", () => {
    fc.assert(
      fc.property(observations(), thresholds, (seen, limits) => {
        let judged = startJudging("PENDING", undefined);
        let last: string | undefined;
        seen.forEach(({ observation, massFailure }, i) => {
          const circumstances = { now: i * 1000, thresholds: limits, damping: undefined, massFailure, othersServe };
          const result = judge(judged, observation, circumstances);
          judged = result.judged;
          if (result.verdict === undefined) return;
          expect(result.verdict.status).not.toBe(last);
          last = result.verdict.status;
        });
      }),
    );
  });

  it("never delays the unhealthy edge of evidence, whatever the damping and the brake", () => {
    fc.assert(
      fc.property(observations(), thresholds, (seen, limits) => {
        let judged = startJudging("PENDING", undefined);
        let fails = 0;
        const late = seen.filter(({ observation, massFailure }, i) => {
          const circumstances = {
            now: i * 1000,
            thresholds: limits,
            damping: DEFAULT_DAMPING,
            massFailure,
            othersServe,
          };
          judged = judge(judged, observation, circumstances).judged;
          fails = observation.outcome === "fail" ? fails + 1 : 0;
          return fails >= limits.unhealthy && !observation.ambiguous && judged.given !== "UNHEALTHY";
        });
        expect(late).toEqual([]);
      }),
    );
  });
});

describe("damping", () => {
  it("bounds the changes of any storm of flaps", () => {
    const gaps = fc.array(fc.integer({ min: 10, max: 5000 }), { minLength: 1, maxLength: 400 });
    fc.assert(
      fc.property(gaps, (intervals) => {
        let judged = startJudging("PENDING", {
          status: "HEALTHY",
          reason: "HTTP 200",
          lastGoodAt: 0,
          damping: NO_DAMPING,
        });
        let now = 0;
        let changes = 0;
        intervals.forEach((gap, i) => {
          now += gap;
          const observation: Observation =
            i % 2 === 0
              ? { outcome: "fail", reason: "HTTP 503", ambiguous: false, durationMs: 1 }
              : { outcome: "pass", reason: "HTTP 200", ambiguous: false, durationMs: 1 };
          const limits = { unhealthy: 1, healthy: 1 };
          const before = judged.given;
          judged = judge(judged, observation, {
            now,
            thresholds: limits,
            damping: DEFAULT_DAMPING,
            massFailure: false,
            othersServe,
          }).judged;
          if (judged.given !== before) changes += 1;
        });
        // A penalty of at most 3500 while free decays by 3500 × ln 2 / 30 s, about 81 a second; a flap costs 1000.
        expect(changes).toBeLessThanOrEqual(2 * (3.5 + (81 * now) / 1_000_000) + 2);
      }),
    );
  });

  it("never leaves a service without a backend of which the checks say that it is well", () => {
    const steps = fc.array(
      fc.record({
        id: fc.nat(3),
        well: fc.boolean(),
        times: fc.integer({ min: 1, max: 4 }),
        gapMs: fc.integer({ min: 10, max: 3000 }),
      }),
      { maxLength: 120 },
    );
    fc.assert(
      fc.property(steps, thresholds, fc.integer({ min: 1, max: 4 }), (seen, limits, count) => {
        const backends = Array.from({ length: count }, () => startJudging("HEALTHY", HEALTHY));
        let now = 0;
        // What the worker asks the state for: routable, and not held.
        const serves = () =>
          backends.some(({ given, damping }) => given === "HEALTHY" && !isHeld(damping, now, DEFAULT_DAMPING));
        const circumstances = () => ({
          now,
          thresholds: limits,
          damping: DEFAULT_DAMPING,
          massFailure: false,
          othersServe: serves,
        });
        const newest = new Map<number, Observation>();
        for (const { id, well, times, gapMs } of seen) {
          const at = id % count;
          for (let i = 0; i < times; i++) {
            now += gapMs;
            const observation = {
              outcome: well ? "pass" : "fail",
              reason: "seen",
              ambiguous: false,
              durationMs: 1,
            } as const;
            newest.set(at, observation);
            backends[at] = judge(backends[at] ?? startJudging("HEALTHY", HEALTHY), observation, circumstances()).judged;
            // As the worker does whenever the service has changed.
            backends.forEach((judged, other) => {
              const last = newest.get(other);
              if (last !== undefined) backends[other] = endHold(judged, last, circumstances()).judged;
            });
            const isAnyWell = backends.some(({ streak }) => streak.status === "HEALTHY");
            expect(backends.some(({ given }) => given === "HEALTHY")).toBe(isAnyWell);
          }
        }
      }),
    );
  });

  it("never grows without a flap, and lets go in the stated time", () => {
    const flaps = fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 1, maxLength: 100 });
    fc.assert(
      fc.property(flaps, fc.integer({ min: 0, max: 600_000 }), (gaps, later) => {
        let damping = NO_DAMPING;
        let now = 0;
        for (const gap of gaps) {
          now += gap;
          damping = addFlap(damping, now, DEFAULT_DAMPING);
        }
        expect(penaltyAt(damping, now + later, DEFAULT_DAMPING)).toBeLessThanOrEqual(damping.penalty);
        expect(isHeld(damping, now + DEFAULT_DAMPING.maxHoldMs + 1, DEFAULT_DAMPING)).toBe(false);
      }),
    );
  });
});

describe("the brake on mass failure", () => {
  it("counts what a plain count counts", () => {
    const steps = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 30 })), { maxLength: 200 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 60 }), (changes, watched) => {
        const turning = new TurningBackends();
        const plain = new Set<number>();
        for (const [add, id] of changes) {
          if (add) {
            turning.add(`s${id % 3}/b${id}`, `s${id % 3}`);
            plain.add(id);
          } else {
            turning.delete(`s${id % 3}/b${id}`);
            plain.delete(id);
          }
        }
        const services = new Set([...plain].map((id) => id % 3)).size;
        const mass = plain.size >= 10 && plain.size >= 0.3 * watched && services >= 2;
        expect(turning.isMassFailure(watched)).toBe(mass);
      }),
    );
  });
});

describe("the brake, whatever the threshold", () => {
  it("lets no more verdicts through than it takes to notice, when all backends stop answering within one interval", () => {
    const backends = fc.shuffledSubarray(
      Array.from({ length: 60 }, (_, i) => i),
      { minLength: 12 },
    );
    fc.assert(
      fc.property(
        backends,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 2, max: 5 }),
        (order, unhealthy, services) => {
          const turning = new TurningBackends();
          const states = new Map(order.map((id) => [id, startJudging("HEALTHY", HEALTHY)]));
          const timeout: Observation = { outcome: "fail", reason: "timeout", ambiguous: true, durationMs: 1 };
          let given = 0;
          // By nine seconds no verdict that waits may have been given.
          for (let now = 0; now < 9000; now += 1000) {
            for (const id of order) {
              const judged = states.get(id) ?? startJudging("HEALTHY", HEALTHY);
              const name = `s${id % services}/b${id}`;
              if (isTurning(judged, timeout)) turning.add(name, `s${id % services}`);
              else turning.delete(name);
              const massFailure = turning.isMassFailure(order.length);
              const thresholds = { unhealthy, healthy: 2 };
              const result = judge(judged, timeout, {
                now,
                thresholds,
                damping: DEFAULT_DAMPING,
                massFailure,
                othersServe,
              });
              states.set(id, result.judged);
              if (result.verdict !== undefined) given += 1;
            }
          }
          const served = new Set(order.map((id) => id % services)).size;
          fc.pre(served >= 2);
          // The services of the first ones may all be the same: then it takes until the second one is among them.
          const firstOfSecond = order.findIndex((id) => id % services !== (order[0] ?? 0) % services) + 1;
          expect(given).toBeLessThan(Math.max(10, Math.ceil(0.3 * order.length), firstOfSecond));
        },
      ),
    );
  });
});

const HEALTHY = { status: "HEALTHY", reason: "HTTP 200", lastGoodAt: 0, damping: NO_DAMPING } as const;

function observations() {
  return fc.array(
    fc.record({
      massFailure: fc.boolean(),
      observation: fc.record({
        outcome: fc.constantFrom("pass", "degraded", "fail"),
        reason: fc.constant("seen"),
        ambiguous: fc.boolean(),
        durationMs: fc.constant(1),
      }),
    }),
    { maxLength: 60 },
  );
}
