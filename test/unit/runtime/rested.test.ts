import { expect, test } from "vitest";
import { rested } from "../../../src/runtime/rested.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** Each answer takes so long to make. */
function answersIn(ms: number) {
  const clock = new FakeClock();
  let made = 0;
  const ask = rested(clock, async () => {
    made += 1;
    await clock.sleep(ms, new AbortController().signal);
    return made;
  });
  return { clock, ask };
}

test("who asks while an answer is made, or soon after, gets that one", async () => {
  const { clock, ask } = answersIn(10);
  const answers = Promise.all([ask(), ask()]);
  await clock.advance(10);
  expect(await answers).toEqual([1, 1]);
  await clock.advance(99);
  expect(await ask()).toBe(1);
  await clock.advance(1);
  const next = ask();
  await clock.advance(10);
  expect(await next).toBe(2);
});

test("an answer that took long to make serves four times as long", async () => {
  const { clock, ask } = answersIn(1_000);
  void ask();
  await clock.advance(1_000);
  await clock.advance(3_999);
  expect(await ask()).toBe(1);
  await clock.advance(1);
  const next = ask();
  await clock.advance(1_000);
  expect(await next).toBe(2);
});

test("a failure is told to those who waited for it, and serves nobody else", async () => {
  let made = 0;
  const ask = rested(new FakeClock(), async () => {
    made += 1;
    if (made === 1) throw new Error("cannot");
    return made;
  });
  await expect(ask()).rejects.toThrow("cannot");
  expect(await ask()).toBe(2);
});
