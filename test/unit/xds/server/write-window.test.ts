import { expect, test } from "vitest";
import { WriteWindow } from "../../../../src/xds/server/write-window.ts";
import { FakeClock } from "../../../support/fake-clock.ts";

const MANY = 100;

function enterMany(window: WriteWindow): { begun: number[]; writers: (() => void)[] } {
  const begun: number[] = [];
  const writers = Array.from({ length: MANY }, (_, index) => () => void begun.push(index));
  for (const writer of writers) window.enter(writer);
  return { begun, writers };
}

test("the next one begins when one has left, in the order of entering", () => {
  const window = new WriteWindow(new FakeClock());
  const { begun, writers } = enterMany(window);
  const room = begun.length;
  expect(room).toBeLessThan(MANY);
  writers.slice(0, 3).forEach((writer) => {
    window.leave(writer);
  });
  expect(begun).toEqual(Array.from({ length: room + 3 }, (_, index) => index));
});

test("one that closes while it waits never begins", () => {
  const window = new WriteWindow(new FakeClock());
  const { begun, writers } = enterMany(window);
  const room = begun.length;
  for (const writer of writers.slice(room)) window.leave(writer);
  for (const writer of writers.slice(0, room)) window.leave(writer);
  expect(begun).toHaveLength(room);
});

test("clients that do not read hold the others up for a moment only", async () => {
  const clock = new FakeClock();
  const { begun } = enterMany(new WriteWindow(clock));
  await clock.advance(1000);
  expect(begun).toHaveLength(MANY);
});
