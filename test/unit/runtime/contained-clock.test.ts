import { expect, test } from "vitest";
import { containedClock } from "../../../src/runtime/contained-clock.ts";
import { repeat } from "../../../src/runtime/repeat.ts";
import { newContainment } from "../../support/containment.ts";
import { FakeClock } from "../../support/fake-clock.ts";

test("a timer that throws or rejects ends at the boundary, and one that repeats goes on", async () => {
  const fake = new FakeClock();
  const containment = newContainment();
  const clock = containedClock(fake, containment);
  let calls = 0;
  const end = repeat(
    clock,
    () => 100,
    () => {
      calls += 1;
      throw new Error("bad input");
    },
  );
  clock.after(100, async () => {
    throw new Error("bad input");
  });
  await fake.advance(350);
  expect(calls).toBe(3);
  expect(containment.failures()).toMatchObject([{ source: "timer", count: 4, message: "bad input" }]);
  end();
  await fake.advance(1_000);
  expect(calls).toBe(3);
});
