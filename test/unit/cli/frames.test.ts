import { expect, it } from "vitest";
import { AdminError } from "../../../src/cli/admin-error.ts";
import { showFrames } from "../../../src/cli/frames.ts";
import { FakeClock } from "../../support/fake-clock.ts";

function screen(isTty: boolean, rows?: number) {
  const clock = new FakeClock();
  const stop = new AbortController();
  let text = "";
  const io = {
    stdout: { write: (more: string) => (text += more) },
    stderr: { write: () => undefined },
    env: {},
    clock,
    isTty,
    rows,
    columns: isTty ? 22 : undefined,
    signal: stop.signal,
  };
  return { io, clock, stop: () => stop.abort(), text: () => text };
}

const away = new AdminError({ code: 14, reason: "", message: "cannot reach the plane", violations: [] });

it("draws in place on a terminal, and goes on when the plane is back", async () => {
  const { io, clock, stop, text } = screen(true);
  let looks = 0;
  const done = showFrames(io, async () => {
    looks += 1;
    if (looks === 2) throw away;
    return [`look ${looks}`];
  });
  await clock.advance(4_000);
  stop();
  await done;
  const frame = (line: string) => `\u001B[H${line}\u001B[K\n\u001B[J`;
  expect(text()).toBe(frame("look 1") + frame("cannot reach the plane") + frame("look 3"));
});

it("draws no more than there is room for, lines that go on in the next included", async () => {
  const { io, clock, stop, text } = screen(true, 6);
  const done = showFrames(io, async () => ["first", "second", "third is longer than a line", "fourth", "fifth"]);
  await clock.advance(0);
  stop();
  await done;
  expect(text().replaceAll("\u001B[K", "")).toBe(
    "\u001B[Hfirst\nsecond\nthird is longer than a\n  line\n… and 2 more lines\n\u001B[J",
  );
});

it("prints only what differs where there is no terminal", async () => {
  const { io, clock, stop, text } = screen(false);
  let looks = 0;
  const done = showFrames(io, async () => [looks++ < 2 ? "calm" : "storm"]);
  await clock.advance(6_000);
  stop();
  await done;
  expect(text()).toBe("calm\n\nstorm\n");
});

it("ends with an error that is not about reaching the plane", async () => {
  const refused = new AdminError({ code: 3, reason: "", message: "no such fleet", violations: [] });
  await expect(showFrames(screen(false).io, () => Promise.reject(refused))).rejects.toBe(refused);
});
