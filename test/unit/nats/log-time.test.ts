import { expect, test } from "vitest";
import { LogTime } from "../../../src/nats/log-time.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const DAY_MS = 86_400_000;
const START = 2_000_000_000_000;

test("before anything was heard, nothing is sure enough to be stated", () => {
  const clock = new FakeClock();
  const time = new LogTime(clock);
  expect(time.now()).toBe(clock.now());
  time.take({ at: START, time: START }, false);
  expect(time.known()).toBeUndefined();
});

test("a log of earlier releases, whose ticks state nothing, is taken to be as late as its messages are", async () => {
  const clock = new FakeClock();
  const time = new LogTime(clock);
  time.take({ at: START }, false);
  time.take({ at: START + 5_000 }, true);
  expect(time.known()).toBe(START + 5_000);
});

test("a server whose clock jumps ahead, and back, moves neither this replica's time nor that of one that starts meanwhile", async () => {
  const clock = new FakeClock();
  const [running, late] = [new LogTime(clock), new LogTime(clock)];
  running.take({ at: START, time: START }, true);
  await clock.advance(1_000);
  const wrong = START + 400 * DAY_MS;
  running.take({ at: wrong, time: running.known() }, true);
  late.take({ at: wrong, time: START + 1_000 }, false);
  await clock.advance(1_000);
  late.take({ at: wrong + 1_000 }, true);
  expect(late.known()).toBe(START + 2_000);
  expect(Math.abs((running.known() ?? 0) - START - 2_000)).toBeLessThan(50);
  running.take({ at: START + 2_000 }, true);
  expect(Math.abs(running.now() - START - 2_000)).toBeLessThan(50);
});

test("a store that was ahead when all planes ended goes on from there, and counts the time that it was away", async () => {
  const clock = new FakeClock();
  const time = new LogTime(clock);
  const ahead = START + 400 * DAY_MS;
  time.take({ at: START, time: ahead }, false);
  time.take({ at: START + 7_000 }, true);
  expect(time.known()).toBe(ahead + 7_000);
});
