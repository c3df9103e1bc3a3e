import { Socket } from "node:net";
import { expect, it } from "vitest";
import { type Attempt, attempt } from "../../../src/health/attempt.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** A clock whose timers fire as late as the test says. */
class LateClock extends FakeClock {
  lateMs = 0;

  override after(ms: number, run: () => void): () => void {
    return super.after(ms + this.lateMs, run);
  }
}

function start(clock: LateClock) {
  let under: Attempt | undefined;
  const seen = attempt({ clock, timeoutMs: 1000, signal: new AbortController().signal }, (begun) => {
    under = begun;
    return new Socket();
  });
  return { seen, answer: () => under?.pass("HTTP 200") };
}

it("gives up when its time is over", async () => {
  const clock = new LateClock();
  const { seen } = start(clock);
  await clock.advance(1000);
  expect(await seen).toEqual({ outcome: "fail", reason: "timeout after 1000 ms", ambiguous: true, durationMs: 1000 });
});

it("does not hold a stall of this process against the target", async () => {
  const clock = new LateClock();
  clock.lateMs = 400;
  const { seen, answer } = start(clock);
  clock.lateMs = 0;
  await clock.advance(1700);
  answer();
  expect(await seen).toMatchObject({ outcome: "pass" });
});

it("gives up in the end, however long the stall was", async () => {
  const clock = new LateClock();
  clock.lateMs = 60_000;
  const { seen } = start(clock);
  clock.lateMs = 0;
  await clock.advance(62_000);
  expect(await seen).toMatchObject({ outcome: "fail", durationMs: 62_000 });
});
