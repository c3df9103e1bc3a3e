import { describe, expect, it } from "vitest";
import { DEFAULT_DAMPING } from "../../../src/domain/damping.ts";
import {
  type Circumstances,
  endHold,
  endWait,
  type Judged,
  judge,
  type Observation,
  startJudging,
  type Verdict,
} from "../../../src/domain/health-verdict.ts";

const ok: Observation = { outcome: "pass", reason: "HTTP 200", ambiguous: false, durationMs: 1 };
const refused: Observation = { outcome: "fail", reason: "connection refused", ambiguous: false, durationMs: 1 };
const timeout: Observation = { outcome: "fail", reason: "timeout after 1000 ms", ambiguous: true, durationMs: 1000 };

const healthy = {
  status: "HEALTHY",
  reason: "HTTP 200",
  lastGoodAt: 1,
  damping: { penalty: 0, asOf: 0, held: false },
} as const;

/** Judges one observation per second, and lists the verdicts by the number of the observation that led to them. */
function run(start: Judged, observations: readonly Observation[], options: Partial<Circumstances> = {}) {
  const verdicts = new Map<number, Verdict>();
  let judged = start;
  observations.forEach((observation, i) => {
    const result = judge(judged, observation, circumstances((i + 1) * 1000, options));
    judged = result.judged;
    if (result.verdict !== undefined) verdicts.set(i + 1, result.verdict);
  });
  return { judged, verdicts, statuses: [...verdicts].map(([at, { status }]) => `${at} ${status}`) };
}

function circumstances(now: number, options: Partial<Circumstances> = {}): Circumstances {
  return {
    now,
    thresholds: { unhealthy: 3, healthy: 2 },
    damping: DEFAULT_DAMPING,
    massFailure: false,
    othersServe: () => true,
    ...options,
  };
}

describe("judge", () => {
  it("changes at exactly the fifth and the seventh of OK OK FAIL FAIL FAIL OK OK", () => {
    const seen = [ok, ok, refused, refused, refused, ok, ok];
    expect(run(startJudging("PENDING", healthy), seen).statuses).toEqual(["5 UNHEALTHY", "7 HEALTHY"]);
  });

  it("proves a pending backend by the healthy threshold", () => {
    expect(run(startJudging("PENDING", undefined), [ok, ok, ok]).statuses).toEqual(["2 HEALTHY"]);
  });

  it("does not call a pending backend unhealthy before the unhealthy threshold", () => {
    expect(run(startJudging("PENDING", undefined), [refused, refused, refused]).statuses).toEqual(["3 UNHEALTHY"]);
  });

  it("states an assumed health only once it is proven", () => {
    const { statuses } = run(startJudging("HEALTHY", undefined), [refused, ok, ok, ok]);
    expect(statuses).toEqual(["3 HEALTHY"]);
  });

  it("goes on from the stored verdict without writing it again", () => {
    expect(run(startJudging("PENDING", healthy), [ok, ok, ok]).statuses).toEqual([]);
  });

  it("tells the reason of the newest failure at once, and then every ten seconds at most", () => {
    const odd = (i: number) => (i % 2 === 0 ? refused : timeout);
    const seen = Array.from({ length: 30 }, (_, i) => odd(i));
    const { verdicts } = run(startJudging("PENDING", healthy), [refused, refused, refused, refused, ...seen.slice(1)]);
    expect([...verdicts].map(([at, { status, reason }]) => `${at} ${status}: ${reason}`)).toEqual([
      "3 UNHEALTHY: connection refused",
      "5 UNHEALTHY: timeout after 1000 ms",
      "16 UNHEALTHY: connection refused",
      "27 UNHEALTHY: timeout after 1000 ms",
    ]);
  });

  it("tells a new owner's failure again only when it is another one", () => {
    const unhealthy = { ...healthy, status: "UNHEALTHY", reason: "connection refused" } as const;
    expect(run(startJudging("PENDING", unhealthy), [refused, refused]).statuses).toEqual([]);
    expect(run(startJudging("PENDING", unhealthy), [timeout, timeout]).statuses).toEqual(["1 UNHEALTHY"]);
    const held = {
      ...unhealthy,
      reason: "connection refused (flapping: held down for at least 9 s while others serve)",
    };
    expect(run(startJudging("PENDING", held), [refused, refused]).statuses).toEqual([]);
  });

  it("carries the reason, the run of observations and the last good time", () => {
    const { verdicts } = run(startJudging("PENDING", healthy), [ok, refused, refused, refused]);
    expect(verdicts.get(4)).toMatchObject({
      reason: "connection refused",
      inRow: 3,
      lastGoodAt: 1000,
      observedAt: 4000,
    });
  });

  it("moves between healthy and degraded by the healthy threshold", () => {
    const degraded: Observation = { ...ok, outcome: "degraded" };
    const { statuses } = run(startJudging("PENDING", healthy), [degraded, ok, degraded, degraded, ok, ok]);
    expect(statuses).toEqual(["4 DEGRADED", "6 HEALTHY"]);
  });
});

describe("judge in a mass failure", () => {
  const massFailure = true;

  it("lets an ambiguous verdict wait, for ten seconds at most", () => {
    const seen = Array.from({ length: 15 }, () => timeout);
    expect(run(startJudging("PENDING", healthy), seen, { massFailure }).statuses).toEqual(["13 UNHEALTHY"]);
  });

  it("never lets evidence from the target wait", () => {
    const seen = [timeout, timeout, timeout, refused];
    expect(run(startJudging("PENDING", healthy), seen, { massFailure }).statuses).toEqual(["4 UNHEALTHY"]);
  });

  it("drops the doubt at the first good sign", () => {
    const seen = [timeout, timeout, timeout, ok, timeout, timeout, ok];
    const { statuses, judged } = run(startJudging("PENDING", healthy), seen, { massFailure });
    expect(statuses).toEqual([]);
    expect(judged.waiting).toBeUndefined();
  });

  it("gives the verdict that waits as soon as a second observer agrees", () => {
    const { judged } = run(startJudging("PENDING", healthy), [timeout, timeout, timeout], { massFailure });
    expect(endWait(judged, timeout, circumstances(3500)).verdict).toMatchObject({ status: "UNHEALTHY" });
  });
});

describe("judge with damping", () => {
  const thresholds = { unhealthy: 1, healthy: 1 };
  const flaps = (count: number) => Array.from({ length: count * 2 }, (_, i) => (i % 2 === 0 ? refused : ok));

  it("holds a flapping backend down at the third flap", () => {
    const { statuses, judged } = run(startJudging("PENDING", healthy), flaps(10), { thresholds });
    expect(statuses).toEqual(["1 UNHEALTHY", "2 HEALTHY", "3 UNHEALTHY", "4 HEALTHY", "5 UNHEALTHY"]);
    expect(judged.damping.held).toBe(true);
  });

  it("lets it out when the penalty has decayed", () => {
    const seen = [...flaps(3), ...Array.from({ length: 60 }, () => ok)];
    expect(run(startJudging("PENDING", healthy), seen, { thresholds }).statuses.at(-1)).toBe("51 HEALTHY");
  });

  it("does not hold what would leave the service without a backend", () => {
    const { verdicts, judged } = run(startJudging("PENDING", healthy), flaps(3), {
      thresholds,
      othersServe: () => false,
    });
    expect(verdicts.get(5)?.reason).toMatch(
      /^connection refused \(flapping: held down for at least \d+ s while others serve\)$/,
    );
    expect(verdicts.get(6)).toMatchObject({ status: "HEALTHY", reason: "HTTP 200 (flapping, but no other serves)" });
    // The next flap is still one of many.
    const next = judge(judged, refused, circumstances(7000, { thresholds }));
    const back = judge(next.judged, ok, circumstances(8000, { thresholds }));
    expect([next.verdict?.status, back.verdict]).toEqual(["UNHEALTHY", undefined]);
  });

  it("lets go of what it holds back once nothing else serves, and of nothing else", () => {
    const { judged } = run(startJudging("PENDING", healthy), flaps(3), { thresholds });
    expect(endHold(judged, ok, circumstances(7000, { thresholds })).verdict).toBeUndefined();
    const alone = circumstances(7000, { thresholds, othersServe: () => false });
    expect(endHold(judged, ok, alone).verdict).toMatchObject({ status: "HEALTHY" });
    const down = judge(judged, refused, alone);
    expect(endHold(down.judged, refused, alone).verdict).toBeUndefined();
  });

  it("does not hold when damping is off", () => {
    const { statuses } = run(startJudging("PENDING", healthy), flaps(5), { thresholds, damping: undefined });
    expect(statuses).toHaveLength(10);
  });

  it("is continued by a new owner", () => {
    const { verdicts } = run(startJudging("PENDING", healthy), flaps(3), { thresholds });
    const stored = [...verdicts.values()].at(-1);
    if (stored === undefined) throw new Error("no verdict was given");
    const { verdict } = judge(startJudging("PENDING", stored), ok, circumstances(7000, { thresholds }));
    expect(verdict).toBeUndefined();
  });
});
