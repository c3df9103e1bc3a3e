import { expect, it } from "vitest";
import { ProbeSchedule } from "../../../src/health/probe-schedule.ts";
import { FakeClock } from "../../support/fake-clock.ts";

function scheduleOf(maxRunning = 100) {
  const clock = new FakeClock();
  const delays: number[] = [];
  return { clock, delays, schedule: new ProbeSchedule({ clock, maxRunning, onStart: (ms) => delays.push(ms) }) };
}

it("starts each at its own phase, once per interval, however long a run takes", async () => {
  const { clock, schedule } = scheduleOf();
  const starts: string[] = [];
  for (const [name, phase] of [
    ["a", 30],
    ["b", 10],
  ] as const) {
    schedule.add(
      {
        run: async () => {
          starts.push(`${name} ${clock.monotonic()}`);
          await clock.sleep(60);
        },
        intervalMs: () => 100,
      },
      phase,
    );
  }
  await clock.advance(235);
  expect(starts).toEqual(["b 10", "a 30", "b 110", "a 130", "b 210", "a 230"]);
});

it("asks for the interval after each run", async () => {
  const { clock, schedule } = scheduleOf();
  const starts: number[] = [];
  schedule.add(
    {
      run: async () => void starts.push(clock.monotonic()),
      intervalMs: () => (starts.length < 3 ? 10 : 100),
    },
    0,
  );
  await clock.advance(200);
  expect(starts).toEqual([0, 10, 20, 120]);
});

it("runs no more at a time than is allowed, and the others in their order", async () => {
  const { clock, schedule, delays } = scheduleOf(2);
  const starts: string[] = [];
  for (const [phase, name] of ["a", "b", "c", "d"].entries()) {
    schedule.add(
      {
        run: async () => {
          starts.push(`${name} ${clock.monotonic()}`);
          await clock.sleep(50);
        },
        intervalMs: () => 1000,
      },
      phase,
    );
  }
  await clock.advance(500);
  expect(starts).toEqual(["a 0", "b 1", "c 50", "d 51"]);
  expect(delays).toEqual([0, 0, 48, 48]);
});

it("starts nothing before it is added, however soon it is due", async () => {
  const { clock, schedule } = scheduleOf();
  let runs = 0;
  const run = async () => {
    runs += 1;
  };
  schedule.add({ run, intervalMs: () => 10 }, 0);
  expect(runs).toBe(0);
  await clock.advance(0);
  expect(runs).toBe(1);
});

it("does not start what was taken out", async () => {
  const { clock, schedule } = scheduleOf();
  let runs = 0;
  const run = async () => {
    runs += 1;
  };
  const remove = schedule.add({ run, intervalMs: () => 10 }, 5);
  await clock.advance(26);
  remove();
  await clock.advance(100);
  expect(runs).toBe(3);
});

it("spreads a thousand evenly when their phases are", async () => {
  const { clock, schedule } = scheduleOf();
  const perWindow = new Array<number>(10).fill(0);
  for (let i = 0; i < 1000; i++) {
    const run = async () => {
      const window = Math.floor(clock.monotonic() / 10);
      perWindow[window] = (perWindow[window] ?? 0) + 1;
    };
    schedule.add({ run, intervalMs: () => 100 }, ((i * 617) % 1000) / 10);
  }
  await clock.advance(99.95);
  expect(Math.max(...perWindow)).toBeLessThanOrEqual(110);
  expect(Math.min(...perWindow)).toBeGreaterThanOrEqual(90);
});
