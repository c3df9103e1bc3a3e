import fc from "fast-check";
import { expect, test } from "vitest";
import { CORRECTION_RATIO, LATEST_INSTANT_MS, StoreTime } from "../../../src/store/store-time.ts";

const DAY_MS = 86_400_000;
const START = 1_000_000_000_000;

function world(from = START) {
  const clock = { wall: START, elapsed: 0, monotonic: () => clock.elapsed };
  const time = new StoreTime({ clock, followed: () => clock.wall, from });
  const pass = (ms: number) => {
    clock.wall += ms;
    clock.elapsed += ms;
  };
  return { clock, time, pass };
}

test("a clock that jumps ahead, and back, changes nothing", () => {
  const { clock, time, pass } = world();
  clock.wall += 400 * DAY_MS;
  expect(time.now()).toBe(START);
  clock.wall -= 400 * DAY_MS;
  pass(60_000);
  expect(time.now()).toBe(START + 60_000);
});

test("a store that is ahead of the clock goes on with elapsed time, but for a fiftieth", () => {
  const { time, pass } = world(START + 400 * DAY_MS);
  expect(time.now()).toBe(START + 400 * DAY_MS);
  pass(60_000);
  expect(time.now()).toBe(START + 400 * DAY_MS + 58_800);
});

test.each([
  { what: "goes back a little", stepMs: -1_000, after: 49_000 },
  { what: "stays ahead, as after a sleep", stepMs: 1_000, after: 51_000 },
])("a clock that $what is agreed with again, at a fiftieth of the time", ({ stepMs, after }) => {
  const { clock, time, pass } = world();
  clock.wall += stepMs;
  pass(50_000);
  expect(time.now()).toBe(START + after);
  expect(time.now()).toBe(clock.wall);
  pass(10_000);
  expect(time.now()).toBe(clock.wall);
});

test("what another replica has reached is not gone back behind, but no instant beyond what can be written is taken", () => {
  const { time, pass } = world();
  time.hear(START + 500);
  expect(time.now()).toBe(START + 500);
  time.hear(START);
  time.hear(Number.NaN);
  time.hear(LATEST_INSTANT_MS + 1);
  pass(1_000);
  expect(time.now()).toBe(START + 1_480);
});

test("law: it never goes back, and no stretch of it differs from elapsed time by more than a fiftieth", () => {
  const step = fc.record({
    ms: fc.nat(100_000),
    jumpMs: fc.oneof(fc.constant(0), fc.integer({ min: -400 * DAY_MS, max: 400 * DAY_MS })),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { clock, time, pass } = world();
      for (const { ms, jumpMs } of steps) {
        const before = time.now();
        clock.wall += jumpMs;
        pass(ms);
        const passed = time.now() - before;
        expect(passed).toBeGreaterThanOrEqual(ms * (1 - CORRECTION_RATIO) - 1);
        expect(passed).toBeLessThanOrEqual(ms * (1 + CORRECTION_RATIO) + 1);
      }
    }),
  );
});
