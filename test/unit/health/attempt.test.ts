import { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { type Attempt, attempt } from "../../../src/health/attempt.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** A clock whose timers fire as late as the test says. */
class LateClock extends FakeClock {
  lateMs = 0;

  override after(ms: number, run: () => void): () => void {
    return super.after(ms + this.lateMs, run);
  }
}

function start(clock: LateClock, begin: (under: Attempt) => void = (under) => under.open()) {
  let under: Attempt | undefined;
  const broken: unknown[] = [];
  const socket = new Socket();
  const options = {
    clock,
    timeoutMs: 1000,
    signal: new AbortController().signal,
    open: () => socket,
    onBroken: (thrown: unknown) => broken.push(thrown),
  };
  const seen = attempt(options, (begun) => {
    under = begun;
    begin(begun);
  });
  return { seen, socket, broken, answer: () => under?.pass("HTTP 200") };
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

it("keeps no more of a reason than is shown", async () => {
  const { seen } = start(new LateClock(), (under) => under.fail(`gRPC status ${"9".repeat(100_000)}`));
  expect((await seen)?.reason).toHaveLength(256);
});

describe("whatever a check throws is a failure with that reason, and ends there", () => {
  const thrown = new Error("Invalid URL");
  const throwIt = () => {
    throw thrown;
  };
  const failed = { outcome: "fail", reason: "the check broke: Invalid URL", ambiguous: false };

  it.each<[string, (under: Attempt) => void]>([
    ["before it has a connection", throwIt],
    [
      "once it has one",
      (under) => {
        under.open();
        throwIt();
      },
    ],
    ["when the connection opens", (under) => under.on(under.open(), "connect", throwIt)],
    ["when something comes", (under) => under.on(under.open(), "data", throwIt)],
  ])("%s", async (_, begin) => {
    const { seen, socket, broken } = start(new LateClock(), begin);
    socket.emit("connect");
    socket.emit("data", Buffer.from("x"));
    expect(await seen).toMatchObject(failed);
    expect(broken).toEqual([thrown]);
  });

  it("and what fails after the decision has nobody to tell", async () => {
    const { seen, socket } = start(new LateClock(), (under) => {
      under.open();
      throwIt();
    });
    expect(await seen).toMatchObject(failed);
    socket.emit("error", new Error("late"));
  });

  it("but not after the decision", async () => {
    const { seen, socket, broken, answer } = start(new LateClock(), (under) => under.on(under.open(), "data", throwIt));
    answer();
    socket.emit("data", Buffer.from("x"));
    expect(await seen).toMatchObject({ outcome: "pass" });
    expect(broken).toEqual([]);
  });
});
