import { expect, test } from "vitest";
import { StopSequence } from "../../../src/app/stop-sequence.ts";
import { silentLogger } from "../../../src/runtime/logger.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const never = () => new Promise<void>(() => undefined);

function sequence() {
  const clock = new FakeClock();
  const ended: string[] = [];
  const stops = new StopSequence({ clock, log: silentLogger });
  const add = (what: string, end: (graceMs: number) => unknown = () => undefined) =>
    stops.add(what, (graceMs) => {
      ended.push(what);
      return end(graceMs);
    });
  return { clock, ended, stops, add };
}

test("what was started last ends first, each when the one before has ended", async () => {
  const { clock, ended, stops, add } = sequence();
  add("store");
  add("streams", () => clock.sleep(100));
  const left = stops.run(1000);
  await clock.advance(50);
  expect(ended).toEqual(["streams"]);
  await clock.advance(50);
  expect(await left).toEqual([]);
  expect(ended).toEqual(["streams", "store"]);
  expect(await stops.run(0), "a second time there is nothing left").toEqual([]);
});

test("what hangs is named, and keeps nothing else from ending, within the grace and a second", async () => {
  const { clock, ended, stops, add } = sequence();
  add("store", never);
  add("duties", never);
  add("streams");
  const left = stops.run(5000);
  await clock.advance(5999);
  expect(await left).toEqual(["duties", "store"]);
  expect(ended).toEqual(["streams", "duties", "store"]);
});

test("what fails is named, and the rest is ended", async () => {
  const { stops, ended, add } = sequence();
  add("store");
  add("duties", () => {
    throw new Error("no server");
  });
  add("health", () => Promise.reject(new Error("no server")));
  expect(await stops.run(0)).toEqual(["health", "duties"]);
  expect(ended).toEqual(["health", "duties", "store"]);
});

test("each step is told what is left of the grace", async () => {
  const { clock, stops, add } = sequence();
  const told: number[] = [];
  add("second", (graceMs) => told.push(graceMs));
  add("first", (graceMs) => {
    told.push(graceMs);
    return clock.sleep(300);
  });
  const left = stops.run(1000);
  await clock.advance(300);
  await left;
  expect(told).toEqual([1000, 700]);
});
